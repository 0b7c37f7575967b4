/* context_items.h — what a ContextLens answers: is it a list of items as they should be? Pure; any thread. */
#ifndef GW_SCRIPT_CONTEXT_ITEMS_H
#define GW_SCRIPT_CONTEXT_ITEMS_H

struct gw_error;
struct gw_json;

/* GW_EINVAL script_bad_result: the message begins with the pointer of what is wrong, counted from 0; err->path is left to the caller. */
int gw_context_items_check(const struct gw_json *items, struct gw_error *err);

#endif
