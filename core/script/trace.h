/* trace.h — what is told of a script's error: one line, where it was, and the frames. Fixed buffers, so that nothing is allocated while memory has run out; every
 * control character and every byte that is no UTF-8 is escaped, since scripts write these texts and operators' terminals show them. */
#ifndef GW_SCRIPT_TRACE_H
#define GW_SCRIPT_TRACE_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

struct gw_sources;

/* value; its owner sets `sources`, borrowed: the files whose positions are believed */
struct gw_trace {
    const struct gw_sources *sources;
    bool is_set;
    char path[160]; /* "file:line", or "" */
    char message[240];
    char text[4096]; /* one frame a line */
};

void gw_trace_clear(struct gw_trace *trace);
/* The frames from `level` on (lua_getstack), and the place of the first that is a script's, and not the library's: "" when there is none. */
void gw_trace_frames(struct gw_trace *trace, lua_State *L, int level);
/* The value at `index`, raised as an error; the position with which it begins becomes the path when it is in one of the sources. After gw_trace_frames. Raises
 * nothing. */
void gw_trace_error(struct gw_trace *trace, lua_State *L, int index);

#endif
