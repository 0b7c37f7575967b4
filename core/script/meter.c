#include "script/meter.h"

#include <lauxlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "script/budget.h"

#define STEP           500
#define FINE_STEP      100
#define FINE_MEMORY    ((size_t)1 << 20)
#define LARGE          512 /* what is smaller costs no instruction much */
#define LARGE_BITS     9
#define LOOK_BYTES     200000 /* that instructions may compare between two looks at the clock: 2 to 4 ms, 8 to 20 ns for each NUL */
#define IDLE_SHARE     16     /* of a call's time, before the thread's own clock is asked */
#define CLOCK_UNITS    4096
#define STRING_HEADER  64 /* at least what Lua adds to a string's bytes */
#define FREE_BYTES     1024
#define CHECK_BYTES    8192
#define NODE_BYTES     24 /* of a member in the hash part of a table: Lua 5.4, lobject.h */
#define BYTES_PER_UNIT 64 /* what one instruction's time copies */

static void on_count(lua_State *L, lua_Debug *event);

struct gw_meter *gw_meter_of(lua_State *L) { return *(struct gw_meter **)lua_getextraspace(L); }

void gw_meter_attach(struct gw_meter *meter, lua_State *L)
{
    meter->L = L;
    *(struct gw_meter **)lua_getextraspace(L) = meter;
}

static void set_step(struct gw_meter *meter, unsigned step)
{
    meter->step = step;
    lua_sethook(meter->L, on_count, LUA_MASKCOUNT, (int)step);
}

/* One instruction may go through all of the largest string: `a < b` does, with a call of strcoll for each NUL. */
static unsigned step_of(const struct gw_meter *meter)
{
    unsigned step = meter->memory > FINE_MEMORY ? FINE_STEP : STEP;
    if (meter->classes == 0)
        return step;
    unsigned largest = 31 - (unsigned)__builtin_clz(meter->classes);
    unsigned by_size = LOOK_BYTES >> (largest + LARGE_BITS);
    return by_size == 0 ? 1 : by_size < step ? by_size : step;
}

/* Class n > 0: strings of 2^(n+8) bytes or more, but less than twice as many. */
static unsigned class_of(size_t size, bool is_string)
{
    if (!is_string || size < LARGE)
        return 0;
    unsigned class = 64 - (unsigned)__builtin_clzll(size) - LARGE_BITS;
    return class < GW_METER_CLASSES ? class : GW_METER_CLASSES - 1;
}

/* Lua tells a block's type only when it asks for it, so the class stands behind the block's bytes. */
static void note_block(struct gw_meter *meter, void *block, size_t size, unsigned class)
{
    if (size < LARGE)
        return;
    ((unsigned char *)block)[size] = (unsigned char)class;
    if (class == 0 || meter->class_counts[class]++ > 0)
        return;
    meter->classes |= 1u << class;
    unsigned step = meter->is_counting ? step_of(meter) : meter->step;
    if (step < meter->step)
        set_step(meter, step);
}

static void forget_block(struct gw_meter *meter, unsigned class)
{
    if (class != 0 && --meter->class_counts[class] == 0)
        meter->classes &= ~(1u << class);
}

/* Large blocks cost time that the hook does not see: `..` copies both sides, a growing table puts each member to its new place. So the hook looks at the clock
 * after this instruction. lua_sethook may be called here, as from a signal handler (manual, section 4.7). */
static void charge_bytes(struct gw_meter *meter, size_t size)
{
    meter->used += size / BYTES_PER_UNIT;
    if (meter->is_counting && (size >= CHECK_BYTES || meter->used > meter->max_instructions) && meter->step != 1)
        set_step(meter, 1);
}

/* The hash part of a table is a block of its own, of 2^n members; no other new block without a type is of such a size but by chance. */
static bool is_large_table(const void *old, size_t type, size_t size)
{
    size_t nodes = size / NODE_BYTES;
    return old == NULL && type == 0 && nodes > GW_SCRIPT_NAMES_MAX && size % NODE_BYTES == 0 && (nodes & (nodes - 1)) == 0;
}

static void *refuse(struct gw_meter *meter, enum gw_meter_refusal why)
{
    meter->refusal = why;
    return NULL;
}

void *gw_meter_allocate(void *self, void *old, size_t old_size, size_t size)
{
    struct gw_meter *meter = self;
    bool is_string = old == NULL && old_size == LUA_TSTRING;
    bool is_too_large = is_large_table(old, old_size, size);
    if (old == NULL)
        old_size = 0; /* Lua passes the type there */
    unsigned class = old_size >= LARGE ? ((unsigned char *)old)[old_size] : 0;
    if (size == 0) {
        meter->memory -= old_size;
        forget_block(meter, class);
        gw_free(old);
        return NULL;
    }
    size_t others = meter->memory - old_size;
    if (is_string && size > GW_SCRIPT_STRING_MAX + STRING_HEADER)
        return refuse(meter, GW_METER_STRING_TOO_LONG);
    if (is_too_large)
        return refuse(meter, GW_METER_TABLE_TOO_LARGE);
    if (size > old_size && (size > meter->max_memory || others > meter->max_memory - size)) {
        charge_bytes(meter, meter->memory); /* Lua collects all garbage, then tries again */
        return refuse(meter, GW_METER_FULL);
    }
    if (meter->is_stressed && size > old_size && (meter->is_refusing = !meter->is_refusing))
        return NULL;
    if (size > FREE_BYTES)
        charge_bytes(meter, size);
    void *grown = gw_try_grow(old, size + (size >= LARGE), 1);
    if (grown == NULL && (old == NULL || size > old_size))
        return refuse(meter, GW_METER_HEAP_IS_GONE);
    meter->memory = others + size;
    if (grown == NULL)
        grown = old; /* a block that does not shrink is still good */
    forget_block(meter, class);
    note_block(meter, grown, size, class_of(size, is_string));
    return grown;
}

void gw_meter_begin(struct gw_meter *meter)
{
    meter->thread_ns = 0;
    meter->started_ns = meter->clock->monotonic_ns(meter->clock->self);
    gw_meter_renew(meter);
}

void gw_meter_renew(struct gw_meter *meter)
{
    meter->used = meter->checked_at = 0;
    meter->end = GW_METER_RUNS;
    meter->refusal = GW_METER_NO_REFUSAL;
    meter->is_counting = true;
    set_step(meter, step_of(meter));
}

uint64_t gw_meter_ns(const struct gw_meter *meter) { return meter->clock->monotonic_ns(meter->clock->self) - meter->started_ns; }

uint64_t gw_meter_spent_ns(const struct gw_meter *meter)
{
    const struct gw_clock *clock = meter->clock;
    if (meter->thread_ns == 0)
        return gw_meter_ns(meter);
    return meter->before_ns + clock->thread_ns(clock->self) - meter->thread_ns;
}

/* The thread's own clock is a system call: a short call does not pay for it, and a longer one once, until it seems late. */
bool gw_meter_is_late(struct gw_meter *meter)
{
    const struct gw_clock *clock = meter->clock;
    uint64_t passed_ns = gw_meter_ns(meter), idle_ns = meter->max_ns / IDLE_SHARE;
    if (clock->thread_ns == NULL)
        return passed_ns > meter->max_ns;
    if (meter->thread_ns == 0 && passed_ns > idle_ns) {
        meter->before_ns = idle_ns;
        meter->thread_ns = clock->thread_ns(clock->self);
    }
    return passed_ns > meter->max_ns && gw_meter_spent_ns(meter) > meter->max_ns;
}

void gw_meter_stop(lua_State *L, enum gw_meter_end end)
{
    struct gw_meter *meter = gw_meter_of(L);
    if (meter->end != GW_METER_RUNS)
        return;
    meter->end = end;
    set_step(meter, 1);
    if (meter->on_end != NULL)
        meter->on_end(meter, L);
}

static void check(lua_State *L, struct gw_meter *meter)
{
    if (meter->end == GW_METER_RUNS && meter->used > meter->max_instructions)
        gw_meter_stop(L, GW_METER_INSTRUCTIONS);
    if (meter->end == GW_METER_RUNS && gw_meter_is_late(meter))
        gw_meter_stop(L, GW_METER_TIME);
    meter->checked_at = meter->used;
    if (meter->end != GW_METER_RUNS)
        luaL_error(L, "the call is over");
}

static void on_count(lua_State *L, lua_Debug *event)
{
    (void)event;
    struct gw_meter *meter = gw_meter_of(L);
    meter->used += meter->step;
    check(L, meter);
    unsigned step = step_of(meter);
    if (step != meter->step)
        set_step(meter, step);
}

void gw_budget_look(lua_State *L) { check(L, gw_meter_of(L)); }

void gw_budget_charge(lua_State *L, uint64_t units)
{
    struct gw_meter *meter = gw_meter_of(L);
    meter->used = units > UINT64_MAX / 2 || meter->used > UINT64_MAX / 2 ? UINT64_MAX / 2 + 1 : meter->used + units;
    if (meter->end != GW_METER_RUNS || meter->used > meter->max_instructions || meter->used - meter->checked_at >= CLOCK_UNITS)
        check(L, meter);
}
