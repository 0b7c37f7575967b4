#include "script/data_file.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "script/budget.h"
#include "script/compile.h"
#include "script/data_value.h"
#include "script/lua_lines.h"
#include "script/meter.h"

#define CHUNK_NAME   "=data"
#define CHUNK_PREFIX "data:"
#define MAX_ENV_NAME 128
#define NS_PER_MS    1000000u

struct gw_data_file {
    char *name;
    struct gw_json *value;
    struct gw_lua_lines *lines;
};

/* What the meter and env() reach through the state's extra space. */
struct sandbox {
    struct gw_meter meter; /* first */
    struct gw_data_limits limits;
    struct gw_data_opts opts;
    bool is_loaded; /* the text is Lua; what fails from here on fails while it runs */
    int end_line;   /* where it was when its budget ran out; 0: unknown */
    const char *text;
    size_t length;
};

static struct sandbox *sandbox_of(lua_State *L) { return (struct sandbox *)gw_meter_of(L); }

static void note_line(struct gw_meter *meter, lua_State *L)
{
    struct sandbox *box = (struct sandbox *)meter;
    lua_Debug frame;
    if (lua_getstack(L, 0, &frame) != 0 && lua_getinfo(L, "l", &frame) != 0 && frame.currentline > 0)
        box->end_line = frame.currentline;
}

/* Reads an environment value as the type of the default at stack index 2. The value itself never enters a message: it may be a secret. */
static void push_as_default(lua_State *L, const char *name, const char *value)
{
    switch (lua_type(L, 2)) {
    case LUA_TNUMBER:
        if (lua_stringtonumber(L, value) == 0)
            luaL_error(L, "%s must be a number", name);
        break;
    case LUA_TBOOLEAN: {
        bool is_true = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
        if (!is_true && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
            luaL_error(L, "%s must be true or false", name);
        lua_pushboolean(L, is_true);
        break;
    }
    default:
        lua_pushstring(L, value);
    }
}

/* env(name [, default]) */
static int call_env(lua_State *L)
{
    struct sandbox *box = sandbox_of(L);
    if (lua_type(L, 1) != LUA_TSTRING)
        return luaL_error(L, "env needs the name of a variable, as text");
    const char *name = lua_tostring(L, 1);
    if (lua_rawlen(L, 1) > MAX_ENV_NAME || strlen(name) != lua_rawlen(L, 1))
        return luaL_error(L, "env needs the name of a variable, of at most %d characters", MAX_ENV_NAME);
    lua_settop(L, 2);
    const char *value = box->opts.env(box->opts.self, name);
    if (value != NULL && value[0] != '\0')
        push_as_default(L, name, value);
    return 1;
}

/* Everything that may raise, in one protected call. Leaves what the chunk returned. */
static int evaluate(lua_State *L)
{
    struct sandbox *box = sandbox_of(L);
    if (gw_compile(L, box->text, box->length, CHUNK_NAME) != LUA_OK)
        return lua_error(L);
    box->is_loaded = true;
    lua_createtable(L, 0, 1);
    if (box->opts.env != NULL) {
        lua_pushcfunction(L, call_env);
        lua_setfield(L, -2, "env");
    }
    lua_setupvalue(L, -2, 1); /* a main chunk's first upvalue is _ENV (manual section 2.2) */
    lua_call(L, 0, 1);
    return 1;
}

/* Cuts ` near '"…` off a syntax error: a quoted string may be a secret. */
static size_t harmless_length(const char *message)
{
    const char *near = strstr(message, " near '");
    if (near != NULL && (near[7] == '"' || near[7] == '\'' || near[7] == '['))
        return (size_t)(near - message);
    return strlen(message);
}

/* "data:12: what" becomes path "name:12" and message "what". */
static int report_failure(const struct sandbox *box, const char *name, const char *text, struct gw_error *err)
{
    if (text == NULL)
        text = "raised a value that is not text";
    char where[sizeof err->path] = "";
    if (strncmp(text, CHUNK_PREFIX, sizeof CHUNK_PREFIX - 1) == 0) {
        char *rest;
        unsigned long line = strtoul(text + sizeof CHUNK_PREFIX - 1, &rest, 10);
        text = rest[0] == ':' && rest[1] == ' ' ? rest + 2 : rest;
        snprintf(where, sizeof where, ":%lu", line);
    }
    gw_error_set(err, GW_EINVAL, box->is_loaded ? "data_failed" : "data_syntax", "%.*s", (int)harmless_length(text), text);
    gw_error_prefix(err, where);
    gw_error_prefix(err, name);
    return err->code;
}

static int report_budget(const struct sandbox *box, const char *name, struct gw_error *err)
{
    const struct gw_data_limits *limits = &box->limits;
    if (box->meter.end == GW_METER_INSTRUCTIONS)
        gw_error_limit(err, "data_budget", "max_instructions", limits->max_instructions, "took more than %u instructions",
                       limits->max_instructions);
    else
        gw_error_limit(err, "data_budget", "max_ms", limits->max_ms, "took longer than %u ms", limits->max_ms);
    if (box->end_line > 0)
        snprintf(err->path, sizeof err->path, ":%d", box->end_line);
    gw_error_prefix(err, name);
    return err->code;
}

/* A pointer in err->path becomes "name:line", and the pointer moves into the message. */
static void place_value_error(const struct gw_data_file *file, struct gw_error *err)
{
    char pointer[sizeof err->path], message[sizeof err->message];
    memcpy(pointer, err->path, sizeof pointer);
    memcpy(message, err->message, sizeof message);
    snprintf(err->message, sizeof err->message, "%.100s%s%.130s", pointer, pointer[0] ? ": " : "", message);
    gw_data_file_where(file, pointer, err->path, sizeof err->path);
}

static int report_memory(const struct sandbox *box, const char *name, struct gw_error *err)
{
    int64_t limit = (int64_t)box->limits.max_memory_bytes;
    if (box->meter.refusal == GW_METER_STRING_TOO_LONG)
        gw_error_limit(err, "data_memory", "string_bytes", GW_SCRIPT_STRING_MAX, "made a text longer than %u bytes", GW_SCRIPT_STRING_MAX);
    else if (box->meter.refusal == GW_METER_TABLE_TOO_LARGE)
        gw_error_limit(err, "data_memory", "table_names", GW_SCRIPT_NAMES_MAX, "made a table of more than %d names", GW_SCRIPT_NAMES_MAX);
    else
        gw_error_limit(err, "data_memory", "max_memory_bytes", limit, "needs more memory than a data file may use");
    gw_error_prefix(err, name);
    return GW_ELIMIT;
}

static bool is_late(void *self) { return gw_meter_is_late(self); }

static int read_result(lua_State *L, struct sandbox *box, struct gw_data_file *file, struct gw_error *err)
{
    struct gw_data_value_rules rules = {.max_depth = box->limits.max_depth,
                                        .max_nodes = box->limits.max_nodes,
                                        .list_names = box->opts.list_names,
                                        .is_late = is_late,
                                        .self = &box->meter};
    int rc;
    if (!lua_istable(L, -1))
        rc = gw_error_set(err, GW_EINVAL, "data_bad_value", "the file must return a table: return { … }");
    else
        rc = gw_data_value_read(L, &rules, &file->value, err);
    if (rc != 0 && strcmp(err->id, "data_too_slow") == 0)
        return report_budget(box, file->name, err);
    if (rc != 0)
        place_value_error(file, err);
    return rc;
}

static int end(lua_State *L, struct sandbox *box, int status, struct gw_data_file *file, struct gw_error *err)
{
    if (status == LUA_OK) {
        file->lines = gw_lua_lines_scan(box->text, box->length, box->limits.max_depth, box->limits.max_nodes);
        return read_result(L, box, file, err);
    }
    if (status == LUA_ERRMEM)
        return report_memory(box, file->name, err);
    if (box->meter.end != GW_METER_RUNS)
        return report_budget(box, file->name, err);
    return report_failure(box, file->name, lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL, err);
}

static int run(struct sandbox *box, struct gw_data_file *file, struct gw_error *err)
{
    lua_State *L = lua_newstate(gw_meter_allocate, &box->meter);
    if (L == NULL)
        return report_memory(box, file->name, err);
    gw_meter_attach(&box->meter, L);
    gw_meter_begin(&box->meter);
    lua_pushcfunction(L, evaluate);
    int status = lua_pcall(L, 0, 1, 0);
    int rc = end(L, box, status, file, err);
    box->meter.is_counting = false;
    lua_close(L);
    return rc;
}

void gw_data_limits_default(struct gw_data_limits *limits)
{
    *limits = (struct gw_data_limits){.max_bytes = (size_t)1 << 20,
                                      .max_memory_bytes = (size_t)16 << 20,
                                      .max_instructions = 1000000,
                                      .max_ms = 50,
                                      .max_depth = 32,
                                      .max_nodes = 16384};
}

int gw_data_file_parse(const char *text, size_t length, const struct gw_data_opts *opts, struct gw_data_file **out, struct gw_error *err)
{
    struct sandbox box = {.text = text, .length = length};
    if (opts != NULL)
        box.opts = *opts;
    if (box.opts.limits != NULL)
        box.limits = *box.opts.limits;
    else
        gw_data_limits_default(&box.limits);
    box.meter = (struct gw_meter){.clock = gw_clock_system(),
                                  .max_instructions = box.limits.max_instructions,
                                  .max_ns = (uint64_t)box.limits.max_ms * NS_PER_MS,
                                  .max_memory = box.limits.max_memory_bytes,
                                  .on_end = note_line};
    const char *name = box.opts.name != NULL ? box.opts.name : "data";
    if (length > box.limits.max_bytes) {
        gw_error_limit(err, "data_too_large", "max_bytes", (int64_t)box.limits.max_bytes, "longer than %zu bytes", box.limits.max_bytes);
        gw_error_prefix(err, name);
        return GW_ELIMIT;
    }
    struct gw_data_file *file = gw_alloc(sizeof *file);
    file->name = gw_strdup(name);
    int rc = run(&box, file, err);
    if (rc == 0)
        *out = file;
    else
        gw_data_file_destroy(file);
    return rc;
}

int gw_data_file_load(const char *path, const struct gw_data_opts *opts, struct gw_data_file **out, struct gw_error *err)
{
    struct gw_data_opts named = {.name = NULL};
    struct gw_data_limits limits;
    struct gw_buffer text;
    if (opts != NULL)
        named = *opts;
    named.name = path;
    gw_data_limits_default(&limits);
    if (named.limits == NULL)
        named.limits = &limits;
    gw_buffer_init(&text, 0);
    int rc = gw_file_read(path, named.limits->max_bytes, &text, err);
    if (rc == 0)
        rc = gw_data_file_parse(text.length ? text.data : "", text.length, &named, out, err);
    if (text.data != NULL)
        gw_zero_secret(text.data, text.capacity); /* a configuration may hold secrets */
    gw_buffer_fini(&text);
    return rc;
}

void gw_data_file_destroy(struct gw_data_file *file)
{
    if (file == NULL)
        return;
    gw_json_unref(file->value);
    gw_lua_lines_destroy(file->lines);
    gw_free(file->name);
    gw_free(file);
}

struct gw_json *gw_data_file_value(const struct gw_data_file *file) { return file->value; }

void gw_data_file_where(const struct gw_data_file *file, const char *pointer, char *out, size_t size)
{
    snprintf(out, size, "%s:%u", file->name, gw_lua_lines_find(file->lines, pointer));
}
