#include "script/upvalue_writes.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "script/budget.h"

/* Lua 5.4, lopcodes.h: the opcode is the low 7 bits, A the 8 above, B the 8 from bit 16. */
#define OP_SETUPVAL     10
#define OPCODE(i)       ((i)&0x7Fu)
#define ARG_B(i)        (((i) >> 16) & 0xFFu)
#define MAX_UPVALUES    255
#define MAX_NESTING     200 /* the parser's own maximum */
#define ABSOLUTE_LINE   (-0x80)
#define TAG_FLOAT       0x13
#define TAG_INTEGER     0x03
#define TAG_SHORT_TEXT  0x04
#define TAG_LONG_TEXT   0x14
#define BYTES_PER_UNIT  16
#define MAX_NAME_LENGTH 60

/* What lua_dump wrote, and where the reader stands. */
struct dump {
    const uint8_t *at, *end;
    bool is_bad;
};

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
    bool is_outer[MAX_UPVALUES + 1]; /* the upvalue lies outside of the function that is checked */
    uint64_t write_at;               /* index of the instruction, when has_write */
    uint8_t written;                 /* the upvalue */
    bool has_write;
};

static const uint8_t *take(struct dump *d, uint64_t count)
{
    static const uint8_t nothing[16];
    if (d->is_bad || count > (uint64_t)(d->end - d->at)) {
        d->is_bad = true;
        return count <= sizeof nothing ? nothing : d->end;
    }
    const uint8_t *bytes = d->at;
    d->at += count;
    return bytes;
}

static uint8_t take_byte(struct dump *d) { return take(d, 1)[0]; }

/* ldump.c, dumpSize: seven bits a byte, the most significant first, the last byte marked. */
static uint64_t take_size(struct dump *d)
{
    uint64_t value = 0;
    for (int i = 0; i < 10 && !d->is_bad; i++) {
        uint8_t byte = take_byte(d);
        value = value << 7 | (byte & 0x7Fu);
        if ((byte & 0x80u) != 0)
            return value;
    }
    d->is_bad = true;
    return 0;
}

/* A count of things of which each takes at least one byte, so that loops over it end with the dump. */
static uint64_t take_count(struct dump *d)
{
    uint64_t count = take_size(d);
    if (count > (uint64_t)(d->end - d->at))
        d->is_bad = true;
    return d->is_bad ? 0 : count;
}

static const uint8_t *take_text(struct dump *d, uint64_t *length)
{
    uint64_t size = take_size(d);
    *length = size == 0 ? 0 : size - 1;
    const uint8_t *text = take(d, *length);
    if (d->is_bad)
        *length = 0;
    return text;
}

static void skip_constants(struct dump *d)
{
    uint64_t length;
    for (uint64_t count = take_count(d); count > 0 && !d->is_bad; count--)
        switch (take_byte(d)) {
        case TAG_FLOAT:
            take(d, sizeof(lua_Number));
            break;
        case TAG_INTEGER:
            take(d, sizeof(lua_Integer));
            break;
        case TAG_SHORT_TEXT:
        case TAG_LONG_TEXT:
            take_text(d, &length);
            break;
        default:
            break; /* nil, false, true are their tag */
        }
}

/* An upvalue is a local of the enclosing function, or one of its upvalues. */
static void read_upvalues(struct dump *d, const struct proto *enclosing, struct proto *p)
{
    p->upvalue_count = take_count(d);
    if (p->upvalue_count > MAX_UPVALUES)
        d->is_bad = true;
    for (uint64_t i = 0; i < p->upvalue_count && !d->is_bad; i++) {
        const uint8_t *upvalue = take(d, 3);
        bool is_local = upvalue[0] != 0;
        p->is_outer[i] = enclosing == NULL || (!is_local && enclosing->is_outer[upvalue[1]]);
    }
}

static void find_write(struct proto *p)
{
    for (uint64_t i = 0; i < p->code_count && !p->has_write; i++) {
        uint32_t instruction;
        memcpy(&instruction, p->code + i * sizeof instruction, sizeof instruction);
        if (OPCODE(instruction) != OP_SETUPVAL || !p->is_outer[ARG_B(instruction)])
            continue;
        p->has_write = true;
        p->write_at = i;
        p->written = (uint8_t)ARG_B(instruction);
    }
}

/* ldebug.c, luaG_getfuncline: each instruction's line as the difference to the one before, with a full line now and then. */
static uint64_t read_line(struct dump *d, const struct proto *p)
{
    uint64_t line = p->line, count = take_count(d);
    const uint8_t *differences = take(d, count);
    uint64_t full_count = take_count(d), first = 0;
    for (uint64_t i = 0; i < full_count && !d->is_bad; i++) {
        uint64_t at = take_size(d), full = take_size(d);
        if (at <= p->write_at) {
            line = full;
            first = at + 1;
        }
    }
    for (uint64_t i = first; i < count && i <= p->write_at && !d->is_bad; i++)
        if ((int8_t)differences[i] != ABSOLUTE_LINE)
            line += (uint64_t)(int64_t)(int8_t)differences[i];
    return line;
}

static void read_names(struct dump *d, const struct proto *p, struct finding *found)
{
    uint64_t length;
    for (uint64_t count = take_count(d); count > 0 && !d->is_bad; count--) {
        take_text(d, &length);
        take_size(d);
        take_size(d);
    }
    uint64_t count = take_count(d);
    for (uint64_t i = 0; i < count && !d->is_bad; i++) {
        const uint8_t *name = take_text(d, &length);
        if (i != p->written || found == NULL)
            continue;
        length = length < MAX_NAME_LENGTH ? length : MAX_NAME_LENGTH;
        memcpy(found->name, name, length);
        found->name[length] = '\0';
    }
}

/* ldump.c, dumpFunction. */
static void read_function(struct dump *d, const struct proto *enclosing, int depth, struct finding *found)
{
    struct proto p = {0};
    uint64_t length;
    if (depth > MAX_NESTING)
        d->is_bad = true;
    take_text(d, &length); /* the source's name */
    p.line = take_size(d);
    take_size(d); /* last line */
    take(d, 3);   /* parameters, varargs, stack size */
    p.code_count = take_count(d);
    p.code = take(d, p.code_count * sizeof(uint32_t));
    if (d->is_bad)
        return;
    skip_constants(d);
    read_upvalues(d, enclosing, &p);
    find_write(&p);
    for (uint64_t count = take_count(d); count > 0 && !d->is_bad; count--)
        read_function(d, &p, depth + 1, found);
    uint64_t line = read_line(d, &p);
    bool is_first = p.has_write && !found->is_there;
    read_names(d, &p, is_first ? found : NULL);
    if (is_first) {
        found->is_there = true;
        found->line = line;
    }
}

/* ldump.c, dumpHeader. */
static void read_header(struct dump *d)
{
    static const uint8_t expected[] = {
        0x1b, 'L', 'u', 'a', 0x54, 0, 0x19, 0x93, '\r', '\n', 0x1a, '\n', 4, sizeof(lua_Integer), sizeof(lua_Number)};
    const uint8_t *header = take(d, sizeof expected);
    if (d->is_bad || memcmp(header, expected, sizeof expected) != 0)
        d->is_bad = true;
    take(d, sizeof(lua_Integer) + sizeof(lua_Number));
    take_byte(d); /* number of upvalues */
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
    struct dump dump = {.at = bytes, .end = bytes + size};
    struct finding found = {0};
    read_header(&dump);
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
