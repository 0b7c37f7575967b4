/* suggest.h — "did you mean": the known word that is closest to a mistyped one. Pure; any thread. */
#ifndef GW_APP_SUGGEST_H
#define GW_APP_SUGGEST_H

#include <stddef.h>

#define GW_SUGGEST_MAX 64

/* Edits (insert, delete, replace, swap of neighbours) from one word to the other; words over GW_SUGGEST_MAX count as very far. */
size_t gw_suggest_distance(const char *a, size_t a_length, const char *b, size_t b_length);
/* The most edits at which a word of `length` still counts as a slip. */
size_t gw_suggest_limit(size_t length);

#endif
