#include <string.h>

#include "script/lua_pattern.h"
#include "script/lua_pattern_items.h"

#define ESCAPE '%'

/* Everything about captures is known before matching: a pattern has no alternatives, so that each place has one history. */
struct compiler {
    const char *next, *end;
    struct gw_pattern_item *item; /* the one being made */
    unsigned captures, choices, open_count;
    uint8_t open[GW_PATTERN_MAX_CAPTURES];
    bool is_position[GW_PATTERN_MAX_CAPTURES];
    bool is_closed[GW_PATTERN_MAX_CAPTURES];
};

static bool is_in(unsigned byte, unsigned low, unsigned high) { return byte >= low && byte <= high; }

static bool is_letter(unsigned byte) { return is_in(byte | 32u, 'a', 'z'); }

static bool is_digit(unsigned byte) { return is_in(byte, '0', '9'); }

static bool is_graphic(unsigned byte) { return is_in(byte, 33, 126); }

/* -1: `name` (a small letter) is no class */
static int is_of_class(unsigned byte, char name)
{
    switch (name) {
    case 'a':
        return is_letter(byte);
    case 'c':
        return byte < 32 || byte == 127;
    case 'd':
        return is_digit(byte);
    case 'g':
        return is_graphic(byte);
    case 'l':
        return is_in(byte, 'a', 'z');
    case 'p':
        return is_graphic(byte) && !is_letter(byte) && !is_digit(byte);
    case 's':
        return byte == ' ' || is_in(byte, '\t', '\r');
    case 'u':
        return is_in(byte, 'A', 'Z');
    case 'w':
        return is_letter(byte) || is_digit(byte);
    case 'z': /* of older manuals */
        return byte == 0;
    case 'x':
        return is_digit(byte) || is_in(byte | 32u, 'a', 'f');
    default:
        return -1;
    }
}

static void add_byte(struct gw_pattern_item *item, unsigned byte) { item->set[byte >> 6] |= (uint64_t)1 << (byte & 63); }

static void add_range(struct gw_pattern_item *item, unsigned char low, unsigned char high)
{
    for (unsigned byte = low; byte <= high; byte++)
        add_byte(item, byte);
}

/* What stands after an escape: a class, its complement, or itself. */
static void add_escaped(struct gw_pattern_item *item, unsigned char name)
{
    char small = (char)(is_letter(name) ? name | 32u : name);
    if (is_of_class(0, small) < 0) {
        add_byte(item, name);
        return;
    }
    int wanted = is_in(name, 'A', 'Z') ? 0 : 1;
    for (unsigned byte = 0; byte < 256; byte++)
        if (is_of_class(byte, small) == wanted)
            add_byte(item, byte);
}

static void invert(struct gw_pattern_item *item)
{
    for (int i = 0; i < 4; i++)
        item->set[i] = ~item->set[i];
}

static void set_fault(struct compiler *c, const char *fault)
{
    c->item->kind = GW_PATTERN_FAULT;
    c->item->fault = fault;
    c->next = c->end;
}

/* The bracket that closes a set whose first member is at `at`, or NULL. That first member may be a bracket itself. */
static const char *find_close(const struct compiler *c, const char *at)
{
    const char *first = at;
    for (; at < c->end; at++) {
        if (*at == ']' && at != first)
            return at;
        if (*at == ESCAPE)
            at++;
    }
    return NULL;
}

static void add_members(struct gw_pattern_item *item, const char *at, const char *close)
{
    while (at < close) {
        if (*at == ESCAPE) {
            add_escaped(item, (unsigned char)at[1]);
            at += 2;
        } else if (close - at > 2 && at[1] == '-') {
            add_range(item, (unsigned char)at[0], (unsigned char)at[2]);
            at += 3;
        } else {
            add_byte(item, (unsigned char)*at++);
        }
    }
}

/* c->next is behind the opening bracket. */
static void compile_set(struct compiler *c)
{
    bool is_inverted = c->next < c->end && *c->next == '^';
    const char *first = c->next + (is_inverted ? 1 : 0);
    const char *close = find_close(c, first);
    if (close == NULL) {
        set_fault(c, "malformed pattern (missing ']')");
        return;
    }
    add_members(c->item, first, close);
    if (is_inverted)
        invert(c->item);
    c->next = close + 1;
}

static void compile_quantifier(struct compiler *c)
{
    if (c->item->kind != GW_PATTERN_CLASS || c->next == c->end || strchr("*+-?", *c->next) == NULL || *c->next == '\0')
        return;
    if (c->choices == GW_PATTERN_MAX_CHOICES) {
        set_fault(c, "pattern too complex");
        return;
    }
    c->choices++;
    c->item->quantifier = (uint8_t)*c->next++;
}

static void compile_open(struct compiler *c)
{
    if (c->captures == GW_PATTERN_MAX_CAPTURES) {
        set_fault(c, "too many captures");
        return;
    }
    unsigned number = c->captures++;
    c->item->first = (uint8_t)number;
    if (c->next < c->end && *c->next == ')') {
        c->next++;
        c->item->kind = GW_PATTERN_POSITION;
        c->is_position[number] = true;
        c->is_closed[number] = true;
        return;
    }
    c->item->kind = GW_PATTERN_OPEN;
    c->open[c->open_count++] = (uint8_t)number;
}

static void compile_close(struct compiler *c)
{
    if (c->open_count == 0) {
        set_fault(c, "invalid pattern capture");
        return;
    }
    c->item->kind = GW_PATTERN_CLOSE;
    c->item->first = c->open[--c->open_count];
    c->is_closed[c->item->first] = true;
}

static void compile_again(struct compiler *c, char digit)
{
    unsigned number = (unsigned)(digit - '1');
    if (digit == '0' || number >= c->captures || !c->is_closed[number]) {
        set_fault(c, "invalid capture index in pattern");
        return;
    }
    c->item->kind = c->is_position[number] ? GW_PATTERN_NEVER : GW_PATTERN_AGAIN;
    c->item->first = (uint8_t)number;
}

static void compile_balance(struct compiler *c)
{
    if (c->end - c->next < 2) {
        set_fault(c, "malformed pattern (missing arguments to '%b')");
        return;
    }
    c->item->kind = GW_PATTERN_BALANCE;
    c->item->first = (uint8_t)*c->next++;
    c->item->second = (uint8_t)*c->next++;
}

static void compile_frontier(struct compiler *c)
{
    if (c->next == c->end || *c->next != '[') {
        set_fault(c, "missing '[' after '%f' in pattern");
        return;
    }
    c->next++;
    c->item->kind = GW_PATTERN_FRONTIER;
    compile_set(c);
}

static void compile_escape(struct compiler *c)
{
    if (c->next == c->end) {
        set_fault(c, "malformed pattern (ends with '%')");
        return;
    }
    char name = *c->next++;
    if (name == 'b')
        compile_balance(c);
    else if (name == 'f')
        compile_frontier(c);
    else if (is_digit((unsigned char)name))
        compile_again(c, name);
    else
        add_escaped(c->item, (unsigned char)name);
}

static void compile_item(struct compiler *c)
{
    char byte = *c->next++;
    if (byte == '(')
        compile_open(c);
    else if (byte == ')')
        compile_close(c);
    else if (byte == '$' && c->next == c->end)
        c->item->kind = GW_PATTERN_LAST;
    else if (byte == ESCAPE)
        compile_escape(c);
    else if (byte == '[')
        compile_set(c);
    else if (byte == '.')
        invert(c->item);
    else
        add_byte(c->item, (unsigned char)byte);
    compile_quantifier(c);
}

void gw_pattern_compile(const char *text, size_t length, bool may_anchor, struct gw_pattern_item *items, struct gw_pattern *out)
{
    struct compiler c = {.next = text, .end = text + length, .item = items};
    out->is_anchored = may_anchor && length > 0 && *text == '^';
    if (out->is_anchored)
        c.next++;
    while (c.next < c.end) {
        *c.item = (struct gw_pattern_item){.kind = GW_PATTERN_CLASS};
        compile_item(&c);
        c.item++;
    }
    *c.item = (struct gw_pattern_item){.kind = GW_PATTERN_DONE};
    if (c.open_count > 0)
        set_fault(&c, "unfinished capture");
    out->items = items;
    out->capture_count = c.captures;
}

bool gw_pattern_is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] != '\0' && strchr("^$*+?.([%-", text[i]) != NULL)
            return false;
    return true;
}
