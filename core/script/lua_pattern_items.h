/* lua_pattern_items.h — the kinds of items that lua_pattern_compile.c makes and lua_pattern.c matches. Not for anybody else. */
#ifndef GW_SCRIPT_LUA_PATTERN_ITEMS_H
#define GW_SCRIPT_LUA_PATTERN_ITEMS_H

#include <stdbool.h>
#include <stdint.h>

#include "script/lua_pattern.h"

enum gw_pattern_kind {
    GW_PATTERN_CLASS,    /* one byte of set, as often as the quantifier says */
    GW_PATTERN_OPEN,     /* first = capture */
    GW_PATTERN_POSITION, /* first = capture */
    GW_PATTERN_CLOSE,    /* first = capture */
    GW_PATTERN_AGAIN,    /* first = capture: %1 */
    GW_PATTERN_NEVER,    /* %1 of a position */
    GW_PATTERN_BALANCE,  /* %b and its two bytes */
    GW_PATTERN_FRONTIER, /* %f and its set */
    GW_PATTERN_LAST,     /* the subject ends here: $ */
    GW_PATTERN_DONE,
    GW_PATTERN_FAULT
};

static inline bool gw_pattern_holds(const struct gw_pattern_item *item, unsigned char byte)
{
    return (item->set[byte >> 6] >> (byte & 63) & 1) != 0;
}

#endif
