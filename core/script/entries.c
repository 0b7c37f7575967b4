#include "script/entries.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "script/sources.h"

/* value: sources whose texts are still to be read */
struct search {
    const struct gw_sources *sources;
    bool *wanted;
    size_t *pending, count;
};

static void want(struct search *search, size_t index)
{
    if (search->wanted[index])
        return;
    search->wanted[index] = true;
    search->pending[search->count++] = index;
}

static void want_named(struct search *search, const char *name, size_t length)
{
    char module[GW_MODULE_NAME_MAX + 1];
    if (length == 0 || length >= sizeof module)
        return;
    memcpy(module, name, length);
    module[length] = '\0';
    size_t index = gw_sources_index(search->sources, module);
    if (index < gw_sources_count(search->sources))
        want(search, index);
}

static bool is_of_name(char c)
{
    char small = (char)(c | 32);
    return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/* Each run of letters of a name that stands between two quotation marks, be it a string or not. */
static void read_names(struct search *search, const struct gw_source *source)
{
    const char *end = source->text + source->length;
    for (const char *at = source->text; at < end; at++) {
        if (*at != '"' && *at != '\'' && *at != '[')
            continue;
        const char *name = at + 1, *behind = name;
        while (behind < end && is_of_name(*behind))
            behind++;
        if (behind < end && (*behind == *at || (*at == '[' && *behind == ']')))
            want_named(search, name, (size_t)(behind - name));
        at = behind - 1;
    }
}

void gw_entries_find(const struct gw_sources *sources, bool (*is_entry)(const char *module), bool *wanted)
{
    size_t count = gw_sources_count(sources);
    struct search search = {.sources = sources, .wanted = wanted, .pending = gw_alloc_array(count + 1, sizeof *search.pending)};
    for (size_t i = 0; i < count; i++)
        if (is_entry(gw_sources_at(sources, i)->module))
            want(&search, i);
    while (search.count > 0)
        read_names(&search, gw_sources_at(sources, search.pending[--search.count]));
    gw_free(search.pending);
}
