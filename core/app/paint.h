/* paint.h — colours for people at a terminal: empty texts where the stream is none, or NO_COLOR is set. */
#ifndef GW_APP_PAINT_H
#define GW_APP_PAINT_H

#include <stdio.h>

/* value: what to print before and after */
struct gw_paint {
    const char *good, *bad, *dim, *bold, *plain;
};

struct gw_paint gw_paint_for(FILE *out);

#endif
