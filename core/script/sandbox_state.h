/* sandbox_state.h — what sandbox.h hides: shared by the files that make a sandbox, and by no other. The state's extra space points to the meter, which is the first
 * member, so that a function in C finds its sandbox by its lua_State. */
#ifndef GW_SCRIPT_SANDBOX_STATE_H
#define GW_SCRIPT_SANDBOX_STATE_H

#include <lua.h>

#include "base/buffer.h"
#include "base/error.h"
#include "script/data_value.h"
#include "script/meter.h"
#include "script/sandbox.h"
#include "script/trace.h"

/* value: a file that is being loaded; they lie on the C stack, innermost first */
struct gw_loading {
    const struct gw_loading *outer;
    const char *module;
};

struct gw_sandbox {
    struct gw_meter meter; /* first */
    lua_State *L;
    struct gw_sources *sources;
    struct gw_sandbox_limits limits;
    bool *wanted;                       /* as many as there are sources: those that are loaded before the first call; NULL: none is */
    size_t entry_count;                 /* of the sources, those that have been loaded or are not wanted */
    struct gw_error **failed;           /* as many as there are sources; NULL but for entries that do not load */
    const struct gw_sandbox_call *call; /* the running one, or NULL */
    const struct gw_loading *loading;
    uint32_t constant_count; /* numbers given to tables that cannot change */
    uint64_t serial;         /* of the running call: a lookup kept by a script knows that it is of another */
    /* What functions in C hold while something may raise: dropped when the next takes its place, and when the call ends. */
    struct gw_json *held;
    struct gw_buffer scratch;
    struct gw_error failure; /* code is 0 but when a function in C knows better than the trace what has failed */
    struct gw_trace trace;
};

static inline struct gw_sandbox *gw_sandbox_of(lua_State *L) { return (struct gw_sandbox *)gw_meter_of(L); }
/* How a value of a script is read: within the limits of a result and the time of the call. */
struct gw_data_value_rules gw_sandbox_rules(struct gw_sandbox *sandbox);
void gw_sandbox_hold(struct gw_sandbox *box, struct gw_json *value /* taken */);

#endif
