/* value_push.h — a JSON tree as fresh Lua values: an array becomes a table marked as a list (freeze.h), so that it comes back as one when it is empty; an integer
 * stays an integer; null becomes the light userdata NULL, which scripts know as json.null: unlike nil it may be a member. The way back is data_value.h. */
#ifndef GW_SCRIPT_VALUE_PUSH_H
#define GW_SCRIPT_VALUE_PUSH_H

#include <stddef.h>

struct gw_json;
struct lua_State;

/* Raises a Lua error when memory runs out or the tree is deeper than GW_VALUE_MAX_DEPTH. A NULL value is nil. Answers how many values were pushed, those within
 * others included. */
#define GW_VALUE_MAX_DEPTH 64
size_t gw_value_push(struct lua_State *L, const struct gw_json *value);

#endif
