/* printable.h — text of others as a terminal or a log line may hold it: control characters, DEL, C1 and what is no UTF-8 become \xNN, so that nothing moves a cursor or
 * begins a line. Pure; any thread. Not for JSON, which has its own escapes. */
#ifndef GW_BASE_PRINTABLE_H
#define GW_BASE_PRINTABLE_H

#include <stddef.h>

/* At most size - 1 bytes and a NUL; what does not fit is left out, never half a character. */
void gw_printable_text(char *out, size_t size, const char *text, size_t length);

/* value */
struct gw_printable {
    char text[600];
};
/* For the arguments of one printf: `gw_printable(name).text`. NULL is "". */
struct gw_printable gw_printable(const char *text);

#endif
