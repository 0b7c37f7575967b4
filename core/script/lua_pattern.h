/* lua_pattern.h — Lua patterns (manual 6.4.1), compiled once and matched without recursion, with every step counted. Pure: no Lua state, no allocation; the memory
 * is the caller's. Backtracking, so that a match may take length^items steps: whoever pays stops it by not returning from `spend`. A malformed pattern fails when
 * the match comes to the malformed place, as in plain Lua. Classes are ASCII. Any thread. */
#ifndef GW_SCRIPT_LUA_PATTERN_H
#define GW_SCRIPT_LUA_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GW_PATTERN_MAX_BYTES    2048
#define GW_PATTERN_MAX_CAPTURES 32
#define GW_PATTERN_MAX_CHOICES  200 /* items with a quantifier */

/* value: what a pattern is made of; filled by gw_pattern_compile */
struct gw_pattern_item {
    union {
        uint64_t set[4]; /* one bit for each byte that is in the class */
        const char *fault;
    };
    uint8_t kind;
    uint8_t quantifier;    /* 0 or one of * + - ? */
    uint8_t first, second; /* the number of a capture; both bytes of %b */
};

/* value */
struct gw_pattern {
    const struct gw_pattern_item *items;
    unsigned capture_count;
    bool is_anchored;
};

/* value: what a capture holds; a position capture has is_position and no length */
struct gw_pattern_capture {
    size_t start, length;
    bool is_position;
};

/* value: one subject and how far it is matched */
struct gw_pattern_match {
    const struct gw_pattern *pattern;
    const char *subject; /* borrowed */
    size_t length;
    void (*spend)(void *self, uint64_t steps); /* called every some steps; need not return */
    void *self;
    uint64_t steps;    /* taken and not yet spent */
    size_t start, end; /* of the last match; the captures are the pattern's capture_count */
    struct gw_pattern_capture captures[GW_PATTERN_MAX_CAPTURES];
    const char *fault; /* static text, after -1 */
};

/* Compiles into `items`, which has room for length + 1 of them and must outlive the pattern; `text` need not. Without `may_anchor` a leading ^ is a byte like any
 * other. Never fails: what is malformed becomes an item that does. */
void gw_pattern_compile(const char *text, size_t length, bool may_anchor, struct gw_pattern_item *items, struct gw_pattern *out);
/* Whether the text has no byte that means anything but itself. */
bool gw_pattern_is_plain(const char *text, size_t length);

/* Matches with the beginning exactly at `at` (at most length). 1 = start, end, captures are set; 0 = no; -1 = malformed or too complex, see fault. */
int gw_pattern_match_at(struct gw_pattern_match *match, size_t at);
/* The first match that begins at `at` or later; at `at` only when the pattern is anchored. */
int gw_pattern_find(struct gw_pattern_match *match, size_t at);

#endif
