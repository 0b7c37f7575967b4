/* sanitize.h — takes secrets and personal data out of developer logs before anything stores them: bearers, API keys, private keys, passwords, card numbers,
 * e-mail addresses, long random runs. What is found is replaced by "[redacted:<kind>]". The rules are a table in sanitize.c. It finds what has a known shape;
 * it is a net under callers, not leave to log secrets. Pure; any thread. Not for chat or canvases: those hold what their authors meant to say. */
#ifndef GW_HUB_SANITIZE_H
#define GW_HUB_SANITIZE_H

#include <stdbool.h>
#include <stddef.h>

struct gw_buffer;
struct gw_json;

/* Appends `text` without what the rules find; UTF-8 stays UTF-8. Costs O(length). True when something was taken out. */
bool gw_sanitize_text(const char *text, size_t length, struct gw_buffer *out);
/* A new tree: strings as above; whole numbers that are card numbers; under a key that names a secret ("password", "authorization" …) every string and number.
 * Keys themselves stay. NULL when memory is gone. Recursive: as deep as the parser let the document be. */
struct gw_json *gw_sanitize_json(const struct gw_json *value);

#endif
