#include "script/lookups.h"

#include <lauxlib.h>

#include "base/json.h"
#include "script/budget.h"
#include "script/sandbox_failure.h"
#include "script/sandbox_state.h"
#include "script/value_push.h"

#define CALL_UNITS     50
#define UNITS_PER_NODE 8
#define BYTES_PER_UNIT 2
#define MAX_ARGS       8

/* Reads the arguments into a list; NULL with *err when they are no data. *units is what that cost. */
static struct gw_json *read_args(lua_State *L, uint64_t *units, struct gw_error *err)
{
    struct gw_sandbox *box = gw_sandbox_of(L);
    struct gw_data_value_cost cost = {0};
    struct gw_data_value_rules rules = gw_sandbox_rules(box);
    struct gw_json *args = gw_json_new_array();
    rules.cost = &cost;
    int rc = args == NULL ? gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for arguments") : 0;
    for (int i = 1, count = lua_gettop(L); rc == 0 && i <= count; i++) {
        struct gw_json *arg = NULL;
        lua_pushvalue(L, i);
        if (lua_isnil(L, -1))
            arg = gw_json_new_null();
        else
            rc = gw_data_value_read(L, &rules, &arg, err);
        lua_pop(L, 1);
        *units += (uint64_t)cost.nodes * UNITS_PER_NODE + cost.bytes / BYTES_PER_UNIT;
        rules.max_nodes -= cost.nodes;
        cost = (struct gw_data_value_cost){0};
        if (rc == 0 && gw_json_append(args, arg) != 0)
            rc = gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for arguments");
    }
    if (rc == 0)
        return args;
    gw_json_unref(args);
    return NULL;
}

static int fail(lua_State *L, const char *name, const struct gw_error *why)
{
    struct gw_error err;
    if (why->code == GW_ENOMEM)
        return gw_sandbox_fail(L, why);
    gw_error_set(&err, GW_EINVAL, "script_failed", "%.40s: %.180s", name, why->message);
    return gw_sandbox_fail(L, &err);
}

/* Upvalues: the lookup's index, the serial of its call. */
static int look(lua_State *L)
{
    struct gw_sandbox *box = gw_sandbox_of(L);
    struct gw_error err = {0};
    struct gw_json *result = NULL;
    if (box->call == NULL || (lua_Integer)box->serial != lua_tointeger(L, lua_upvalueindex(2)))
        return luaL_error(L, "a lookup is of use during its own call only");
    const struct gw_sandbox_lookup *lookup = &box->call->lookups[lua_tointeger(L, lua_upvalueindex(1))];
    gw_budget_charge(L, CALL_UNITS);
    luaL_checkstack(L, 4, NULL);
    if (lua_gettop(L) > MAX_ARGS)
        return luaL_error(L, "%s takes at most %d arguments", lookup->name, MAX_ARGS);
    uint64_t units = 0;
    struct gw_json *args = read_args(L, &units, &err);
    gw_sandbox_hold(box, args);
    gw_budget_charge(L, units);
    if (args == NULL)
        return err.code == GW_ENOMEM ? fail(L, lookup->name, &err) : luaL_error(L, "%s: %s", lookup->name, err.message);
    int rc = lookup->look(lookup->self, args, &result, &err);
    gw_sandbox_hold(box, rc == 0 ? result : NULL);
    if (rc != 0)
        return fail(L, lookup->name, &err);
    gw_budget_charge(L, gw_value_push(L, result) * UNITS_PER_NODE);
    gw_sandbox_hold(box, NULL);
    return 1;
}

void gw_lookups_set(lua_State *L)
{
    struct gw_sandbox *box = gw_sandbox_of(L);
    for (size_t i = 0; i < box->call->lookup_count; i++) {
        lua_pushinteger(L, (lua_Integer)i);
        lua_pushinteger(L, (lua_Integer)box->serial);
        lua_pushcclosure(L, look, 2);
        lua_setfield(L, -2, box->call->lookups[i].name);
    }
}
