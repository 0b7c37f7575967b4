/* sandbox.h — one Lua state for one set of sources, and the only way into it: JSON in, JSON out, under budgets. One thread at a time. No Lua error, no longjmp and
 * no memory of the core crosses this border. A call that failed, in whatever way, leaves the sandbox as usable as before.
 * Scripts there are pure. They have no I/O, clock, randomness, coroutine or debug (lua/sandbox.lua lists what they have); `pairs` goes in sorted key order; what a
 * file made is frozen when it has loaded, tables (freeze.h) and the locals that its functions share (upvalue_writes.h). So nothing survives from one call to the
 * next, and two processes answer with the same bytes.
 * Arguments are fresh tables: arrays are lists even when empty, integers stay integers, null as a member is the constant null of "atoms.json". Results likewise: an
 * empty table is a list when it came as one, was marked by json.list, or is a member of a listed name; else an object. */
#ifndef GW_SCRIPT_SANDBOX_H
#define GW_SCRIPT_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_clock;
struct gw_error;
struct gw_json;
struct gw_sandbox;
struct gw_sources;

/* value: all inclusive maxima */
struct gw_sandbox_limits {
    uint64_t call_instructions; /* Lua instructions and the like work of library functions: 1000000 */
    uint32_t call_ms;           /* of processor time, where the clock knows it: 50 */
    size_t memory_bytes;        /* of the whole state: 8 MiB */
    unsigned result_depth;      /* 32 */
    unsigned result_nodes;      /* 16384 */
    size_t result_bytes;        /* of all strings in a result: 256 KiB */
};
void gw_sandbox_limits_default(struct gw_sandbox_limits *limits);

/* value */
struct gw_sandbox_opts {
    struct gw_sources *sources; /* a reference is taken */
    const struct gw_clock *clock;
    struct gw_sandbox_limits limits;
    /* Which modules are loaded before the first call, and with them those that they name (entries.h); from then on `require` in a call finds these and loads
     * nothing, so that no call can tell what came before it. What one of them fails with, it fails with each time. NULL: each is loaded when it is first asked
     * for. */
    bool (*is_entry)(const char *module);
    bool is_gc_stressed; /* for tests: collects all garbage at every allocation */
};

/* GW_ENOMEM, GW_ELIMIT script_memory. Loads nothing yet. */
int gw_sandbox_create(const struct gw_sandbox_opts *opts, struct gw_sandbox **out, struct gw_error *err);
void gw_sandbox_destroy(struct gw_sandbox *sandbox); /* NULL is fine */

/* value: a function that a script may call during one call, e.g. to look at a block. `args` is an array of what it was given. Returns GW_OK with *result (a new
 * reference, NULL = nil), or a negative status, which ends the call as script_failed with that message. */
struct gw_sandbox_lookup {
    const char *name;
    int (*look)(void *self, const struct gw_json *args, struct gw_json **result, struct gw_error *err);
    void *self;
};

/* value: one call of `function` inside what `module` returned: "lens", "transforms.mask.block", or "/commands/planning.add_task/reduce" for names with dots */
struct gw_sandbox_call {
    const char *module, *function;
    struct gw_json *const *args;             /* borrowed; NULL entries are nil */
    size_t arg_count;                        /* at most 8 */
    const struct gw_sandbox_lookup *lookups; /* members added to the last argument, which must be an object then; may be NULL */
    size_t lookup_count;
    size_t result_count;           /* 1 or 2 */
    const char *const *list_names; /* as in data_file.h: members that are lists even when empty; may be NULL */
    /* Asked when the one result is a table that a file made as it was loaded, and which thus is the same whenever it is returned: `constant` is its number in this
     * sandbox. True: the caller knows it, so it is not read and results[0] is NULL. NULL: every result is read. */
    bool (*knows)(void *self, uint32_t constant);
    void *knows_self;
};

/* value: what a call cost */
struct gw_sandbox_cost {
    uint64_t instructions;
    uint64_t ns; /* by the monotonic clock */
};

/* Loads the module if it is not loaded yet (requires count as part of the call) and calls. The first call also loads the entries, each with the instructions of a
 * call, all within the time of this one: when that ends first, the call fails and the next goes on. results[i] are new references (JSON null for nil). Errors: err->path is
 * "file:line" where known, err->message one line, escaped and capped, from which gw_sandbox_traceback has more.
 *   script_missing (no such module or function: GW_ENOTFOUND) · script_syntax · script_failed (raised) · script_budget (instructions or time) · script_memory ·
 *   script_bad_result (not data, too deep, too large; path is file, message names the member) */
int gw_sandbox_call(struct gw_sandbox *sandbox, const struct gw_sandbox_call *call, struct gw_json **results, struct gw_sandbox_cost *cost,
                    struct gw_error *err);
/* Whether `function` is there, loading the module if need be. 1, 0, or an error as above. */
int gw_sandbox_has(struct gw_sandbox *sandbox, const char *module, const char *function, struct gw_error *err);
/* What the module returned as data (functions are left out), with every error as above. */
int gw_sandbox_data(struct gw_sandbox *sandbox, const char *module, struct gw_json **out, struct gw_error *err);
/* The same with `true` in the place of each function: the names of all that it returned. */
int gw_sandbox_outline(struct gw_sandbox *sandbox, const char *module, struct gw_json **out, struct gw_error *err);
/* The last failed call's, one frame a line, escaped, at most 4 KiB; "" after a good one. Borrowed until the next call. */
const char *gw_sandbox_traceback(const struct gw_sandbox *sandbox);
size_t gw_sandbox_memory(const struct gw_sandbox *sandbox); /* bytes in use */

#endif
