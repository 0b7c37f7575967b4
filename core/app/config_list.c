#include "app/config_list.h"

#include <string.h>

#include "app/config.h"
#include "base/alloc.h"

void gw_text_list_add(struct gw_text_list *list, const char *text, size_t length)
{
    char **grown = gw_alloc_array(list->count + 1, sizeof *grown);
    if (list->count > 0)
        memcpy(grown, list->items, list->count * sizeof *grown);
    gw_free(list->items);
    list->items = grown;
    char *copy = gw_alloc(length + 1);
    memcpy(copy, text, length);
    list->items[list->count++] = copy;
}

void gw_text_list_add_split(struct gw_text_list *list, const char *text, size_t length)
{
    const char *end = text + length;
    while (text < end) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *stop = comma ? comma : end, *last = stop;
        while (text < last && *text == ' ')
            text++;
        while (text < last && last[-1] == ' ')
            last--;
        if (text < last)
            gw_text_list_add(list, text, (size_t)(last - text));
        text = comma ? comma + 1 : end;
    }
}

void gw_text_list_fini(struct gw_text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        gw_zero_secret(list->items[i], strlen(list->items[i]));
        gw_free(list->items[i]);
    }
    gw_free(list->items);
    *list = (struct gw_text_list){NULL, 0};
}
