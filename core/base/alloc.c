#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The one mutable global here: malloc itself is global, and a counter that had to be passed would be in every signature for the tests'
 * sake. */
static _Thread_local struct {
    long fail_at;
    long count;
} fallible;

static _Noreturn void out_of_memory(size_t size)
{
    fprintf(stderr, "atoms: out of memory for %zu bytes\n", size);
    abort();
}

/* True when the test seam wants this allocation to fail. */
static int is_failing_now(void)
{
    fallible.count++;
    return fallible.count == fallible.fail_at;
}

void *gw_alloc(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        out_of_memory(size);
    return memory;
}

void *gw_alloc_array(size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        out_of_memory(SIZE_MAX);
    return gw_alloc(total);
}

void *gw_try_alloc(size_t size) { return is_failing_now() ? NULL : malloc(size ? size : 1); }

void *gw_try_grow(void *old, size_t count, size_t size)
{
    size_t total;
    if (is_failing_now() || __builtin_mul_overflow(count, size, &total))
        return NULL;
    return realloc(old, total ? total : 1);
}

void gw_free(void *memory) { free(memory); }

void gw_zero_secret(void *memory, size_t size)
{
    if (memory)
        explicit_bzero(memory, size);
}

char *gw_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(gw_alloc(size), text, size);
}

char *gw_try_strndup(const char *text, size_t length)
{
    size_t size;
    if (__builtin_add_overflow(length, 1, &size))
        return NULL;
    char *copy = gw_try_alloc(size);
    if (!copy)
        return NULL;
    if (length)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void gw_alloc_fail_after(long n)
{
    fallible.fail_at = n;
    fallible.count = 0;
}

long gw_alloc_fallible_count(void) { return fallible.count; }
