/* meter.h — what one Lua state may use: memory by its allocator, instructions and time by its count hook and by what library functions charge (budget.h). Once a
 * call is over, by whatever it ran out of, the hook fires on every instruction and every charge raises, until the next call begins: no pcall keeps it alive.
 * The state's extra space points to its meter. One thread at a time. */
#ifndef GW_SCRIPT_METER_H
#define GW_SCRIPT_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

struct gw_clock;

enum gw_meter_end {
    GW_METER_RUNS,
    GW_METER_INSTRUCTIONS,
    GW_METER_TIME,
    GW_METER_MEMORY, /* the state's maximum, or the process has no more: see refusal */
    GW_METER_STOPPED /* gw_meter_stop by the owner, who knows why */
};

enum gw_meter_refusal { GW_METER_NO_REFUSAL, GW_METER_FULL, GW_METER_STRING_TOO_LONG, GW_METER_TABLE_TOO_LARGE, GW_METER_HEAP_IS_GONE };

#define GW_METER_CLASSES 13 /* of large strings by their size, each twice the one before; 0: all other blocks */

/* value; its owner sets the first five */
struct gw_meter {
    const struct gw_clock *clock;
    uint64_t max_instructions, max_ns;
    size_t max_memory;
    void (*on_end)(struct gw_meter *meter, lua_State *L); /* once per call that ends early, where it did; raises nothing */
    lua_State *L;
    size_t memory;
    uint64_t used, started_ns, checked_at;
    uint64_t thread_ns; /* processor time at the first look at the clock that finds a long call; 0 before it */
    uint64_t before_ns; /* what counts as spent until then */
    unsigned step;      /* instructions between two hooks */
    unsigned classes;   /* bit n: there are strings of class n */
    uint32_t class_counts[GW_METER_CLASSES];
    enum gw_meter_end end;
    enum gw_meter_refusal refusal; /* of the last allocation that was refused */
    bool is_counting;
    bool is_stressed, is_refusing; /* refuses every first try: Lua collects its garbage before the second */
};

/* A lua_Alloc; `meter` is the gw_meter. Refuses what goes over max_memory, strings longer than GW_SCRIPT_STRING_MAX, and
 * tables of more than GW_SCRIPT_NAMES_MAX names. */
void *gw_meter_allocate(void *meter, void *old, size_t old_size, size_t size);
/* After lua_newstate. */
void gw_meter_attach(struct gw_meter *meter, lua_State *L);
struct gw_meter *gw_meter_of(lua_State *L);
void gw_meter_begin(struct gw_meter *meter);
/* As begin, but what has been spent of the time stays spent. */
void gw_meter_renew(struct gw_meter *meter);
/* Ends the call where it stands, if it has not ended; the caller raises. */
void gw_meter_stop(lua_State *L, enum gw_meter_end end);
uint64_t gw_meter_ns(const struct gw_meter *meter); /* since begin */
/* The time in which this thread ran, as far as the clock knows it; of a short call the time that passed. */
uint64_t gw_meter_spent_ns(const struct gw_meter *meter);
/* Whether the call has used up its time: time passed, and time in which this thread ran, so that a busy machine ends no call that is short. */
bool gw_meter_is_late(struct gw_meter *meter);

#endif
