/* source_line.h — where in a Lua source something is written: for messages about values that a script made of it. Pure; finds less where values are put together
 * by code. */
#ifndef GW_SCRIPT_SOURCE_LINE_H
#define GW_SCRIPT_SOURCE_LINE_H

struct gw_source;

/* The first line, from `from` on, that holds this text as a string literal or as a name; 0: none does. */
unsigned gw_source_line_of(const struct gw_source *source, const char *text, unsigned from);
/* The first line where a function of that name is written: `name = function`, `function name`, `function x.name`; 0: none is. */
unsigned gw_source_line_of_function(const struct gw_source *source, const char *name);

#endif
