/* data_value.h — a Lua table as a JSON tree, by the rules of data_file.h; of scripts also: a frozen table is read as what it holds, one that is marked as a list
 * is a list when it is empty (freeze.h), the light userdata NULL is null (value_push.h). Raises no Lua error, so it may run outside a protected call; leaves the
 * stack as it was. */
#ifndef GW_SCRIPT_DATA_VALUE_H
#define GW_SCRIPT_DATA_VALUE_H

#include <stdbool.h>
#include <stddef.h>

struct gw_error;
struct gw_json;
struct lua_State;

/* value: what was read, also when it then failed */
struct gw_data_value_cost {
    size_t bytes; /* of texts and names, where rules have a maximum for them */
    unsigned nodes;
};

/* value */
struct gw_data_value_rules {
    unsigned max_depth, max_nodes;
    const char *const *list_names; /* as in data_file.h; may be NULL */
    size_t max_bytes;              /* of all texts and names together; 0: no maximum */
    bool leaves_out_functions;     /* members that are functions are absent, rather than an error */
    bool marks_functions;          /* a function is read as `true` */
    /* Asked now and then: true ends the reading with data_too_slow. A table costs time by its room, not by its members, and may be met again and again. May be NULL. */
    bool (*is_late)(void *self);
    void *self;
    struct gw_data_value_cost *cost; /* may be NULL */
};

/* Reads the value on top of the stack. On failure err->path is the JSON pointer of what is not data (data_bad_value, data_too_large, data_too_slow), or
 * GW_ENOMEM. */
int gw_data_value_read(struct lua_State *L, const struct gw_data_value_rules *rules, struct gw_json **out, struct gw_error *err);

#endif
