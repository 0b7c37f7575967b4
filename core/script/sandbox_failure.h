/* sandbox_failure.h — how a call of sandbox.h ends: what went wrong as a struct gw_error, what it cost, and the state made ready for the next call. */
#ifndef GW_SCRIPT_SANDBOX_FAILURE_H
#define GW_SCRIPT_SANDBOX_FAILURE_H

#include "script/sandbox_state.h"

/* The message handler of the outermost lua_pcall: records place, message and frames. */
int gw_sandbox_on_error(lua_State *L);
/* gw_meter's on_end: records the frames before anything is unwound. */
void gw_sandbox_on_end(struct gw_meter *meter, lua_State *L);

/* Ends the running call with this error, which no script can catch: for what is the core's own failure. Does not return. */
int gw_sandbox_fail(lua_State *L, const struct gw_error *why);

/* `status` is lua_pcall's. */
int gw_sandbox_failure(struct gw_sandbox *box, int status, const char *module, struct gw_error *err);
int gw_sandbox_memory_failure(const struct gw_sandbox *box, struct gw_error *err);
/* What box->failure says of a result becomes script_bad_result. `function` may be NULL. */
int gw_sandbox_bad_result(struct gw_sandbox *box, const char *module, const char *function, struct gw_error *err);
/* `cost` may be NULL. */
void gw_sandbox_end(struct gw_sandbox *box, struct gw_sandbox_cost *cost);

#endif
