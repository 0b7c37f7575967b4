#include "script/upvalue_writes.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "script/budget.h"
#include "script/dump.h"

#define OP_SETUPVAL     10
#define BYTES_PER_UNIT  16
#define MAX_NAME_LENGTH 60

/* The first assignment found. */
struct finding {
    bool is_there;
    uint64_t line;
    char name[MAX_NAME_LENGTH + 1];
};

/* value: one function in the dump */
struct proto {
    uint64_t line, code_count, upvalue_count;
    const uint8_t *code;
    bool is_outer[GW_DUMP_UPVALUES_MAX + 1]; /* the upvalue lies outside of the function that is checked */
    uint64_t write_at;                       /* index of the instruction, when has_write */
    uint8_t written;                         /* the upvalue */
    bool has_write;
};

static void skip_constants(struct gw_dump *d)
{
    uint64_t length;
    for (uint64_t count = gw_dump_count(d); count > 0 && !d->is_bad; count--)
        gw_dump_constant(d, &length);
}

/* An upvalue is a local of the enclosing function, or one of its upvalues. */
static void read_upvalues(struct gw_dump *d, const struct proto *enclosing, struct proto *p)
{
    p->upvalue_count = gw_dump_count(d);
    if (p->upvalue_count > GW_DUMP_UPVALUES_MAX)
        d->is_bad = true;
    for (uint64_t i = 0; i < p->upvalue_count && !d->is_bad; i++) {
        const uint8_t *upvalue = gw_dump_take(d, 3);
        bool is_local = upvalue[0] != 0;
        p->is_outer[i] = enclosing == NULL || (!is_local && enclosing->is_outer[upvalue[1]]);
    }
}

static void find_write(struct proto *p)
{
    for (uint64_t i = 0; i < p->code_count && !p->has_write; i++) {
        uint32_t instruction;
        memcpy(&instruction, p->code + i * sizeof instruction, sizeof instruction);
        if (GW_DUMP_OPCODE(instruction) != OP_SETUPVAL || !p->is_outer[GW_DUMP_B(instruction)])
            continue;
        p->has_write = true;
        p->write_at = i;
        p->written = (uint8_t)GW_DUMP_B(instruction);
    }
}

/* ldebug.c, luaG_getfuncline: each instruction's line as the difference to the one before, with a full line now and then. */
static uint64_t read_line(struct gw_dump *d, const struct proto *p)
{
    uint64_t line = p->line, count = gw_dump_count(d);
    const uint8_t *differences = gw_dump_take(d, count);
    uint64_t full_count = gw_dump_count(d), first = 0;
    for (uint64_t i = 0; i < full_count && !d->is_bad; i++) {
        uint64_t at = gw_dump_size(d), full = gw_dump_size(d);
        if (at <= p->write_at) {
            line = full;
            first = at + 1;
        }
    }
    for (uint64_t i = first; i < count && i <= p->write_at && !d->is_bad; i++)
        if ((int8_t)differences[i] != GW_DUMP_FULL_LINE)
            line += (uint64_t)(int64_t)(int8_t)differences[i];
    return line;
}

static void read_names(struct gw_dump *d, const struct proto *p, struct finding *found)
{
    uint64_t length;
    for (uint64_t count = gw_dump_count(d); count > 0 && !d->is_bad; count--) {
        gw_dump_text(d, &length);
        gw_dump_size(d);
        gw_dump_size(d);
    }
    uint64_t count = gw_dump_count(d);
    for (uint64_t i = 0; i < count && !d->is_bad; i++) {
        const uint8_t *name = gw_dump_text(d, &length);
        if (i != p->written || found == NULL)
            continue;
        length = length < MAX_NAME_LENGTH ? length : MAX_NAME_LENGTH;
        memcpy(found->name, name, length);
        found->name[length] = '\0';
    }
}

/* ldump.c, dumpFunction. */
static void read_function(struct gw_dump *d, const struct proto *enclosing, int depth, struct finding *found)
{
    struct proto p = {0};
    uint64_t length;
    if (depth > GW_DUMP_NESTING_MAX)
        d->is_bad = true;
    gw_dump_text(d, &length); /* the source's name */
    p.line = gw_dump_size(d);
    gw_dump_size(d);    /* last line */
    gw_dump_take(d, 3); /* parameters, varargs, stack size */
    p.code_count = gw_dump_count(d);
    p.code = gw_dump_take(d, p.code_count * sizeof(uint32_t));
    if (d->is_bad)
        return;
    skip_constants(d);
    read_upvalues(d, enclosing, &p);
    find_write(&p);
    for (uint64_t count = gw_dump_count(d); count > 0 && !d->is_bad; count--)
        read_function(d, &p, depth + 1, found);
    uint64_t line = read_line(d, &p);
    bool is_first = p.has_write && !found->is_there;
    read_names(d, &p, is_first ? found : NULL);
    if (is_first) {
        found->is_there = true;
        found->line = line;
    }
}

/* Where lua_dump writes: the first pass counts, the second copies. */
struct writer {
    uint8_t *out;
    size_t length;
};

static int on_piece(lua_State *L, const void *bytes, size_t size, void *self)
{
    (void)L;
    struct writer *writer = self;
    if (writer->out != NULL)
        memcpy(writer->out + writer->length, bytes, size);
    writer->length += size;
    return 0;
}

void gw_upvalue_writes_check(lua_State *L, int index)
{
    int base = lua_gettop(L);
    struct writer writer = {0};
    lua_pushvalue(L, index);
    lua_dump(L, on_piece, &writer, 0);
    size_t size = writer.length;
    gw_budget_charge(L, size / BYTES_PER_UNIT);
    uint8_t *bytes = lua_newuserdatauv(L, size, 0);
    lua_insert(L, -2);
    writer = (struct writer){.out = bytes};
    lua_dump(L, on_piece, &writer, 0);
    struct gw_dump dump = {.at = bytes, .end = bytes + size};
    struct finding found = {0};
    gw_dump_header(&dump);
    if (!dump.is_bad)
        read_function(&dump, NULL, 0, &found);
    lua_Debug info;
    lua_getinfo(L, ">S", &info);
    if (found.is_there)
        luaL_error(L, "%s:%d: a function may not change '%s', a local outside of it: it would keep a state from call to call",
                   info.short_src, (int)found.line, found.name);
    if (dump.is_bad || dump.at != dump.end)
        luaL_error(L, "%s:%d: a function of a form that cannot be checked", info.short_src, info.linedefined);
    lua_settop(L, base);
}
