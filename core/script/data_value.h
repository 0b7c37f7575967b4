/* data_value.h — a Lua table as a JSON tree, by the rules of data_file.h. Raises no Lua error, so it may run outside a protected call;
 * leaves the stack as it was. */
#ifndef GW_SCRIPT_DATA_VALUE_H
#define GW_SCRIPT_DATA_VALUE_H

struct gw_error;
struct gw_json;
struct lua_State;

/* value */
struct gw_data_value_rules {
    unsigned max_depth, max_nodes;
    const char *const *list_names; /* as in data_file.h; may be NULL */
};

/* Reads the value on top of the stack. On failure err->path is the JSON pointer of what is not data (data_bad_value, data_too_large), or
 * GW_ENOMEM. */
int gw_data_value_read(struct lua_State *L, const struct gw_data_value_rules *rules, struct gw_json **out, struct gw_error *err);

#endif
