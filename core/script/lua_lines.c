#include "script/lua_lines.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "script/lua_lexer.h"

struct entry {
    char *pointer;
    unsigned line;
};

struct gw_lua_lines {
    struct entry *entries;
    size_t count, capacity;
    size_t max_entries;
    unsigned max_depth;
    unsigned return_line;
};

/* The scan's state: `path` is the pointer of the table being read. */
struct scan {
    struct gw_lua_lexer lexer;
    struct gw_lua_lines *lines;
    struct gw_buffer path;
};

static void add_entry(struct scan *scan, unsigned line)
{
    struct gw_lua_lines *lines = scan->lines;
    if (lines->count == lines->max_entries || scan->path.has_failed)
        return;
    if (lines->count == lines->capacity) {
        size_t capacity = lines->capacity ? lines->capacity * 2 : 64;
        struct entry *grown = gw_try_grow(lines->entries, capacity, sizeof *grown);
        if (grown == NULL)
            return;
        lines->entries = grown;
        lines->capacity = capacity;
    }
    char *pointer = gw_try_strndup(scan->path.data, scan->path.length);
    if (pointer != NULL)
        lines->entries[lines->count++] = (struct entry){pointer, line};
}

static void push_key(struct gw_buffer *path, const char *key, size_t length)
{
    gw_buffer_append_char(path, '/');
    for (size_t i = 0; i < length; i++) {
        if (key[i] == '~')
            gw_buffer_append_text(path, "~0");
        else if (key[i] == '/')
            gw_buffer_append_text(path, "~1");
        else
            gw_buffer_append_char(path, key[i]);
    }
}

/* How a token changes the nesting of statements and brackets. */
static int nesting_of(const struct gw_lua_token *token)
{
    static const char *const openers[] = {"(", "[", "{", "function", "do", "if", "repeat"};
    static const char *const closers[] = {")", "]", "}", "end", "until"};
    for (size_t i = 0; i < sizeof openers / sizeof *openers; i++)
        if (gw_lua_token_is(token, openers[i]))
            return 1;
    for (size_t i = 0; i < sizeof closers / sizeof *closers; i++)
        if (gw_lua_token_is(token, closers[i]))
            return -1;
    return 0;
}

static bool ends_field(const struct gw_lua_token *token)
{
    return token->kind == GW_LUA_EOF || gw_lua_token_is(token, ",") || gw_lua_token_is(token, ";") || gw_lua_token_is(token, "}");
}

/* Stands at the separator or bracket that ends the field. */
static void skip_expression(struct gw_lua_lexer *lexer)
{
    int depth = 0;
    while (lexer->token.kind != GW_LUA_EOF && !(depth == 0 && ends_field(&lexer->token))) {
        depth += nesting_of(&lexer->token);
        gw_lua_lexer_next(lexer);
    }
}

/* Reads `name =` or `["text"] =` and pushes the key; else leaves the lexer and counts a position. */
static void read_key(struct scan *scan, size_t *position)
{
    struct gw_lua_lexer ahead = scan->lexer;
    bool is_bracketed = gw_lua_token_is(&ahead.token, "[");
    if (is_bracketed)
        gw_lua_lexer_next(&ahead);
    struct gw_lua_token key = ahead.token;
    gw_lua_lexer_next(&ahead);
    if (is_bracketed && gw_lua_token_is(&ahead.token, "]"))
        gw_lua_lexer_next(&ahead);
    bool is_key = is_bracketed ? key.kind == GW_LUA_STRING && !key.has_escapes : key.kind == GW_LUA_NAME;
    if (is_key && gw_lua_token_is(&ahead.token, "=")) {
        push_key(&scan->path, key.text, key.length);
        gw_lua_lexer_next(&ahead);
        scan->lexer = ahead;
        return;
    }
    if (is_bracketed)
        return; /* a computed key: its value is skipped under the parent's pointer */
    gw_buffer_append_char(&scan->path, '/');
    gw_buffer_append_u64(&scan->path, (*position)++);
}

/* Stands on "{"; afterwards behind the matching "}". Recursion is bounded by max_depth. */
static void read_table(struct scan *scan, unsigned depth)
{
    size_t position = 0;
    size_t outer = scan->path.length;
    gw_lua_lexer_next(&scan->lexer);
    while (scan->lexer.token.kind != GW_LUA_EOF && !gw_lua_token_is(&scan->lexer.token, "}")) {
        unsigned line = scan->lexer.token.line;
        read_key(scan, &position);
        if (scan->path.length > outer)
            add_entry(scan, line);
        if (scan->path.length > outer && gw_lua_token_is(&scan->lexer.token, "{") && depth < scan->lines->max_depth)
            read_table(scan, depth + 1);
        skip_expression(&scan->lexer);
        if (!scan->path.has_failed)
            scan->path.length = outer;
        if (gw_lua_token_is(&scan->lexer.token, ",") || gw_lua_token_is(&scan->lexer.token, ";"))
            gw_lua_lexer_next(&scan->lexer);
    }
    gw_lua_lexer_next(&scan->lexer);
}

/* Stands behind the `return` of the chunk itself; false when there is none. */
static bool find_return(struct gw_lua_lexer *lexer)
{
    int depth = 0;
    while (lexer->token.kind != GW_LUA_EOF) {
        bool is_return = depth == 0 && gw_lua_token_is(&lexer->token, "return");
        depth += nesting_of(&lexer->token);
        if (is_return)
            return true;
        gw_lua_lexer_next(lexer);
    }
    return false;
}

struct gw_lua_lines *gw_lua_lines_scan(const char *text, size_t length, unsigned max_depth, unsigned max_entries)
{
    struct gw_lua_lines *lines = gw_try_alloc(sizeof *lines);
    if (lines == NULL)
        return NULL;
    *lines = (struct gw_lua_lines){.max_entries = max_entries, .max_depth = max_depth, .return_line = 1};
    struct scan scan = {.lines = lines};
    gw_buffer_init(&scan.path, 4096);
    gw_lua_lexer_init(&scan.lexer, text, length);
    if (find_return(&scan.lexer)) {
        lines->return_line = scan.lexer.token.line;
        gw_lua_lexer_next(&scan.lexer);
        if (gw_lua_token_is(&scan.lexer.token, "{"))
            read_table(&scan, 1);
    }
    gw_buffer_fini(&scan.path);
    return lines;
}

void gw_lua_lines_destroy(struct gw_lua_lines *lines)
{
    if (lines == NULL)
        return;
    for (size_t i = 0; i < lines->count; i++)
        gw_free(lines->entries[i].pointer);
    gw_free(lines->entries);
    gw_free(lines);
}

static const struct entry *find_entry(const struct gw_lua_lines *lines, const char *pointer, size_t length)
{
    for (size_t i = 0; i < lines->count; i++)
        if (strlen(lines->entries[i].pointer) == length && memcmp(lines->entries[i].pointer, pointer, length) == 0)
            return &lines->entries[i];
    return NULL;
}

unsigned gw_lua_lines_find(const struct gw_lua_lines *lines, const char *pointer)
{
    if (lines == NULL)
        return 1;
    for (size_t length = strlen(pointer); length > 0; length--) {
        bool is_boundary = pointer[length] == '\0' || pointer[length] == '/';
        const struct entry *entry = is_boundary ? find_entry(lines, pointer, length) : NULL;
        if (entry != NULL)
            return entry->line;
    }
    return lines->return_line;
}
