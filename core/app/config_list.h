/* config_list.h — building the lists of text that a configuration holds. The list owns its items; one thread at a time. */
#ifndef GW_APP_CONFIG_LIST_H
#define GW_APP_CONFIG_LIST_H

#include <stddef.h>

struct gw_text_list;

void gw_text_list_add(struct gw_text_list *list, const char *text, size_t length);
/* Adds the parts between commas, trimmed, without the empty ones. */
void gw_text_list_add_split(struct gw_text_list *list, const char *text, size_t length);
/* Zeroes and frees the items; the list is empty afterwards. */
void gw_text_list_fini(struct gw_text_list *list);

#endif
