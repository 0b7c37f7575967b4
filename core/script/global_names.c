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
#include "script/dump.h"
#include "script/sources.h"

#define OP_GETTABUP 11
#define OP_SETTABUP 15
#define MAX_NAMES   256 /* that one instruction can name */
#define NAME_BYTES  64

/* What is read, and who is told. */
struct reading {
    struct gw_dump dump;
    void (*told)(void *arg, const struct gw_global_use *use);
    void *arg;
};

/* value: one function of it */
struct proto {
    uint64_t line, code_count;
    const uint8_t *code;
    bool is_env[GW_DUMP_UPVALUES_MAX + 1];
    char (*names)[NAME_BYTES]; /* of its constants; "" of one that is no short text */
    uint64_t name_count;
};

static void keep_name(char out[NAME_BYTES], const uint8_t *text, uint64_t length)
{
    out[0] = '\0';
    if (!text || length >= NAME_BYTES)
        return;
    memcpy(out, text, length);
    out[length] = '\0';
}

static void read_constants(struct gw_dump *d, struct proto *p)
{
    uint64_t count = gw_dump_count(d), length;
    for (uint64_t i = 0; i < count && !d->is_bad; i++) {
        const uint8_t *text = gw_dump_constant(d, &length);
        if (i < MAX_NAMES)
            keep_name(p->names[p->name_count++], text, length);
    }
}

/* The main function's only upvalue is _ENV; others have it from there. */
static void read_upvalues(struct gw_dump *d, const struct proto *enclosing, struct proto *p)
{
    uint64_t count = gw_dump_size(d);
    d->is_bad |= count > GW_DUMP_UPVALUES_MAX;
    for (uint64_t i = 0; i < count && !d->is_bad; i++) {
        const uint8_t *upvalue = gw_dump_take(d, 3);
        p->is_env[i] = enclosing ? upvalue[0] == 0 && enclosing->is_env[upvalue[1]] : i == 0;
    }
}

/* ldebug.c, luaG_getfuncline: each instruction's line as the difference to the one before, with a full line now and then. */
static void tell(const struct reading *r, const struct proto *p, uint64_t at, unsigned line)
{
    uint32_t i;
    memcpy(&i, p->code + at * sizeof i, sizeof i);
    bool reads = GW_DUMP_OPCODE(i) == OP_GETTABUP && p->is_env[GW_DUMP_B(i)],
         assigns = GW_DUMP_OPCODE(i) == OP_SETTABUP && p->is_env[GW_DUMP_A(i)];
    uint32_t constant = reads ? GW_DUMP_C(i) : GW_DUMP_B(i);
    if ((reads || assigns) && constant < p->name_count)
        r->told(r->arg, &(struct gw_global_use){p->names[constant], line, assigns});
}

static void read_lines(struct reading *r, const struct proto *p)
{
    struct gw_dump *d = &r->dump;
    uint64_t count = gw_dump_size(d), line = p->line, next = 0, full = 0;
    const uint8_t *differences = gw_dump_take(d, count);
    uint64_t full_count = gw_dump_size(d);
    for (uint64_t i = 0; i < count && i < p->code_count && !d->is_bad; i++) {
        bool is_full = (int8_t)differences[i] == GW_DUMP_FULL_LINE;
        if (is_full && full++ < full_count) {
            next = gw_dump_size(d);
            line = gw_dump_size(d);
            d->is_bad |= next != i;
        } else {
            line += (uint64_t)(int64_t)(int8_t)differences[i];
        }
        tell(r, p, i, (unsigned)line);
    }
    for (; full < full_count && !d->is_bad; full++) {
        gw_dump_size(d);
        gw_dump_size(d);
    }
}

static void skip_names(struct gw_dump *d)
{
    uint64_t length;
    for (uint64_t count = gw_dump_count(d); count > 0 && !d->is_bad; count--) {
        gw_dump_text(d, &length);
        gw_dump_size(d);
        gw_dump_size(d);
    }
    for (uint64_t count = gw_dump_count(d); count > 0 && !d->is_bad; count--)
        gw_dump_text(d, &length);
}

/* ldump.c, dumpFunction. */
static void read_function(struct reading *r, const struct proto *enclosing, int depth)
{
    struct gw_dump *d = &r->dump;
    struct proto p = {0};
    uint64_t length;
    d->is_bad |= depth > GW_DUMP_NESTING_MAX;
    gw_dump_text(d, &length); /* the source's name */
    p.line = gw_dump_size(d);
    gw_dump_size(d);    /* last line */
    gw_dump_take(d, 3); /* parameters, varargs, stack size */
    p.code_count = gw_dump_size(d);
    d->is_bad |= p.code_count > (uint64_t)(d->end - d->at) / sizeof(uint32_t);
    p.code = gw_dump_take(d, d->is_bad ? 0 : p.code_count * sizeof(uint32_t));
    if (d->is_bad)
        return;
    p.names = gw_alloc_array(MAX_NAMES, sizeof *p.names);
    read_constants(d, &p);
    read_upvalues(d, enclosing, &p);
    for (uint64_t count = gw_dump_size(d); count > 0 && !d->is_bad; count--)
        read_function(r, &p, depth + 1);
    read_lines(r, &p);
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
        const uint8_t *at = (const uint8_t *)bytes.data;
        struct reading reading = {.dump = {.at = at, .end = at + bytes.length, .is_bad = bytes.has_failed}, .told = told, .arg = arg};
        gw_dump_header(&reading.dump);
        read_function(&reading, NULL, 0);
    }
    gw_buffer_fini(&bytes);
    lua_close(L);
    return status;
}
