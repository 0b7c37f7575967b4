/* alloc.h — memory. gw_alloc aborts on failure and is for small sizes that this program chooses; gw_try_alloc returns NULL and
 * is for sizes that a peer chooses. Any thread. Nothing else here calls malloc. */
#ifndef GW_BASE_ALLOC_H
#define GW_BASE_ALLOC_H

#include <stddef.h>

/* Zeroed memory of `size` bytes; never NULL. Release with gw_free. */
void *gw_alloc(size_t size);
/* Zeroed array; aborts on overflow or failure. */
void *gw_alloc_array(size_t count, size_t size);
/* Uninitialised memory, or NULL when there is none. */
void *gw_try_alloc(size_t size);
/* realloc of an array, overflow-checked; NULL leaves `old` as it was. */
void *gw_try_grow(void *old, size_t count, size_t size);
/* Releases; NULL is fine. */
void gw_free(void *memory);
/* Overwrites `size` bytes in a way the compiler keeps: for secrets, before gw_free. */
void gw_zero_secret(void *memory, size_t size);
/* Copies of text: `length` bytes plus a NUL. gw_strdup aborts on failure, for configuration-sized text only. */
char *gw_strdup(const char *text);
char *gw_try_strndup(const char *text, size_t length);

/* Test seam: the n-th gw_try_alloc/gw_try_grow/gw_try_strndup from now fails (0 = off). Per thread; jansson's allocations go through the
 * same counter (json.c installs it). */
void gw_alloc_fail_after(long n);
/* How many fallible allocations this thread has made since the last gw_alloc_fail_after. */
long gw_alloc_fallible_count(void);

#endif
