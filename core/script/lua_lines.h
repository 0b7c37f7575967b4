/* lua_lines.h — on which line of a Lua source each member of the returned table is written. A small lexer over the text, used only to place
 * error messages: where the table is built by code rather than written out, a member is simply not found. Pure; never fails but by finding
 * less. */
#ifndef GW_SCRIPT_LUA_LINES_H
#define GW_SCRIPT_LUA_LINES_H

#include <stddef.h>

struct gw_lua_lines;

/* Scans the chunk's last statement, `return { … }`. NULL when memory is gone. */
struct gw_lua_lines *gw_lua_lines_scan(const char *text, size_t length, unsigned max_depth, unsigned max_entries);
void gw_lua_lines_destroy(struct gw_lua_lines *lines); /* NULL is fine */
/* The line of the member at a JSON pointer, else of its closest parent that was found, else of the `return`, else 1. */
unsigned gw_lua_lines_find(const struct gw_lua_lines *lines, const char *pointer);

#endif
