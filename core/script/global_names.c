#include "script/global_names.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/printable.h"
#include "script/sources.h"

/* Lua 5.4, lopcodes.h: the opcode is the low 7 bits, A the 8 above, B the 8 from bit 16, C the 8 from bit 24. */
#define OP_GETTABUP    11
#define OP_SETTABUP    15
#define OPCODE(i)      ((i)&0x7Fu)
#define ARG_A(i)       (((i) >> 7) & 0xFFu)
#define ARG_B(i)       (((i) >> 16) & 0xFFu)
#define ARG_C(i)       (((i) >> 24) & 0xFFu)
#define HEADER_BYTES   (15 + sizeof(lua_Integer) + sizeof(lua_Number) + 1)
#define MAX_UPVALUES   255
#define MAX_NESTING    200
#define MAX_NAMES      256 /* that one instruction can name */
#define NAME_BYTES     64
#define ABSOLUTE_LINE  (-0x80)
#define TAG_FLOAT      0x13
#define TAG_INTEGER    0x03
#define TAG_SHORT_TEXT 0x04
#define TAG_LONG_TEXT  0x14

/* What lua_dump wrote, and where the reader stands; and who is told. */
struct dump {
    const uint8_t *at, *end;
    bool is_bad;
    void (*told)(void *arg, const struct gw_global_use *use);
    void *arg;
};

/* value: one function of it */
struct proto {
    uint64_t line, code_count;
    const uint8_t *code;
    bool is_env[MAX_UPVALUES + 1];
    char (*names)[NAME_BYTES]; /* of its constants; "" of one that is no short text */
    uint64_t name_count;
};

static const uint8_t *take(struct dump *d, uint64_t count)
{
    static const uint8_t nothing[16];
    if (d->is_bad || count > (uint64_t)(d->end - d->at)) {
        d->is_bad = true;
        return nothing;
    }
    const uint8_t *bytes = d->at;
    d->at += count;
    return bytes;
}

/* ldump.c, dumpSize: seven bits a byte, the most significant first, the last byte marked. */
static uint64_t take_size(struct dump *d)
{
    uint64_t value = 0;
    for (int i = 0; i < 10 && !d->is_bad; i++) {
        uint8_t byte = take(d, 1)[0];
        value = value << 7 | (byte & 0x7Fu);
        if (byte & 0x80u)
            return value;
    }
    d->is_bad = true;
    return 0;
}

static void take_text(struct dump *d, char out[NAME_BYTES])
{
    uint64_t size = take_size(d), length = size ? size - 1 : 0;
    const uint8_t *text = take(d, length);
    out[0] = '\0';
    if (!d->is_bad && length < NAME_BYTES) {
        memcpy(out, text, length);
        out[length] = '\0';
    }
}

static void read_constants(struct dump *d, struct proto *p)
{
    char ignored[NAME_BYTES];
    uint64_t count = take_size(d);
    for (uint64_t i = 0; i < count && !d->is_bad; i++) {
        char *name = i < MAX_NAMES ? p->names[i] : ignored;
        name[0] = '\0';
        p->name_count = i < MAX_NAMES ? i + 1 : p->name_count;
        switch (take(d, 1)[0]) {
        case TAG_FLOAT:
            take(d, sizeof(lua_Number));
            break;
        case TAG_INTEGER:
            take(d, sizeof(lua_Integer));
            break;
        case TAG_SHORT_TEXT:
        case TAG_LONG_TEXT:
            take_text(d, name);
            break;
        default:
            break; /* nil, false, true are their tag */
        }
    }
}

/* The main function's only upvalue is _ENV; others have it from there. */
static void read_upvalues(struct dump *d, const struct proto *enclosing, struct proto *p)
{
    uint64_t count = take_size(d);
    d->is_bad |= count > MAX_UPVALUES;
    for (uint64_t i = 0; i < count && !d->is_bad; i++) {
        const uint8_t *upvalue = take(d, 3);
        p->is_env[i] = enclosing ? upvalue[0] == 0 && enclosing->is_env[upvalue[1]] : i == 0;
    }
}

/* ldebug.c, luaG_getfuncline: each instruction's line as the difference to the one before, with a full line now and then. */
static void tell(struct dump *d, const struct proto *p, uint64_t at, unsigned line)
{
    uint32_t i;
    memcpy(&i, p->code + at * sizeof i, sizeof i);
    bool reads = OPCODE(i) == OP_GETTABUP && p->is_env[ARG_B(i)], assigns = OPCODE(i) == OP_SETTABUP && p->is_env[ARG_A(i)];
    uint32_t constant = reads ? ARG_C(i) : ARG_B(i);
    if ((reads || assigns) && constant < p->name_count)
        d->told(d->arg, &(struct gw_global_use){p->names[constant], line, assigns});
}

static void read_lines(struct dump *d, const struct proto *p)
{
    uint64_t count = take_size(d), line = p->line, next = 0, full = 0;
    const uint8_t *differences = take(d, count);
    uint64_t full_count = take_size(d);
    for (uint64_t i = 0; i < count && i < p->code_count && !d->is_bad; i++) {
        bool is_full = (int8_t)differences[i] == ABSOLUTE_LINE;
        if (is_full && full++ < full_count) {
            next = take_size(d);
            line = take_size(d);
            d->is_bad |= next != i;
        } else {
            line += (uint64_t)(int64_t)(int8_t)differences[i];
        }
        tell(d, p, i, (unsigned)line);
    }
    for (; full < full_count && !d->is_bad; full++) {
        take_size(d);
        take_size(d);
    }
}

static void skip_names(struct dump *d)
{
    char ignored[NAME_BYTES];
    for (uint64_t count = take_size(d); count > 0 && !d->is_bad; count--) {
        take_text(d, ignored);
        take_size(d);
        take_size(d);
    }
    for (uint64_t count = take_size(d); count > 0 && !d->is_bad; count--)
        take_text(d, ignored);
}

/* ldump.c, dumpFunction. */
static void read_function(struct dump *d, const struct proto *enclosing, int depth)
{
    struct proto p = {0};
    char ignored[NAME_BYTES];
    d->is_bad |= depth > MAX_NESTING;
    take_text(d, ignored); /* the source's name */
    p.line = take_size(d);
    take_size(d); /* last line */
    take(d, 3);   /* parameters, varargs, stack size */
    p.code_count = take_size(d);
    d->is_bad |= p.code_count > (uint64_t)(d->end - d->at) / sizeof(uint32_t);
    p.code = take(d, d->is_bad ? 0 : p.code_count * sizeof(uint32_t));
    if (d->is_bad)
        return;
    p.names = gw_alloc_array(MAX_NAMES, sizeof *p.names);
    read_constants(d, &p);
    read_upvalues(d, enclosing, &p);
    for (uint64_t count = take_size(d); count > 0 && !d->is_bad; count--)
        read_function(d, &p, depth + 1);
    read_lines(d, &p);
    skip_names(d);
    gw_free(p.names);
}

static int on_piece(lua_State *L, const void *bytes, size_t size, void *out)
{
    (void)L;
    gw_buffer_append(out, bytes, size);
    return 0;
}

static int report_syntax(lua_State *L, const struct gw_source *source, struct gw_error *err)
{
    size_t length;
    const char *text = lua_tolstring(L, -1, &length), *mark = text ? strstr(text, "data:") : NULL;
    char message[sizeof err->message], *rest = NULL;
    unsigned long line = mark == text && mark ? strtoul(text + strlen("data:"), &rest, 10) : 1;
    const char *what = rest && rest[0] == ':' ? rest + 2 : text ? text : "is no Lua";
    gw_printable_text(message, sizeof message, what, strlen(what));
    gw_error_set(err, GW_EINVAL, "script_syntax", "%s", message);
    snprintf(err->path, sizeof err->path, "%.145s:%lu", source->path, line);
    return GW_EINVAL;
}

int gw_global_names(const struct gw_source *source, void (*told)(void *arg, const struct gw_global_use *use), void *arg,
                    struct gw_error *err)
{
    lua_State *L = luaL_newstate();
    struct gw_buffer bytes;
    if (!L)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to look at a script");
    gw_buffer_init(&bytes, 0);
    int status = luaL_loadbufferx(L, source->text, source->length, "=data", "t") == LUA_OK ? GW_OK : report_syntax(L, source, err);
    if (!status && told) {
        lua_dump(L, on_piece, &bytes, 0);
        struct dump dump = {.at = (const uint8_t *)bytes.data, .end = (const uint8_t *)bytes.data + bytes.length, .told = told, .arg = arg};
        take(&dump, HEADER_BYTES);
        if (!bytes.has_failed)
            read_function(&dump, NULL, 0);
    }
    gw_buffer_fini(&bytes);
    lua_close(L);
    return status;
}
