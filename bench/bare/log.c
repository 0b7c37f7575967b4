#include "log.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void bare_log_init(struct bare_log *log, size_t max_bytes)
{
    *log = (struct bare_log){.max_bytes = max_bytes};
    log->starts = gw_alloc_array(BARE_LOG_IDS, sizeof log->starts[0]);
}

void bare_log_fini(struct bare_log *log)
{
    gw_free(log->bytes);
    gw_free(log->starts);
    *log = (struct bare_log){0};
}

/* Doubles until the maximum, then lets the older half go. */
static void make_room(struct bare_log *log, size_t length)
{
    while (log->length + length > log->capacity && log->capacity < log->max_bytes) {
        size_t grown = log->capacity > 0 ? log->capacity * 2 : 16384;
        log->capacity = grown < log->max_bytes ? grown : log->max_bytes;
        log->bytes = gw_try_grow(log->bytes, log->capacity, 1);
        if (log->bytes == NULL) {
            abort();
        }
    }
    if (log->length + length > log->capacity) {
        size_t dropped = log->length - log->capacity / 2;
        memmove(log->bytes, log->bytes + dropped, log->length - dropped);
        log->length -= dropped;
        log->base += dropped;
    }
}

void bare_log_append(struct bare_log *log, const char *frame, size_t length)
{
    if (length > log->max_bytes / 2) {
        abort();
    }
    make_room(log, length);
    log->starts[++log->last_id % BARE_LOG_IDS] = bare_log_end(log);
    memcpy(log->bytes + log->length, frame, length);
    log->length += length;
}

uint64_t bare_log_end(const struct bare_log *log) { return log->base + log->length; }

uint64_t bare_log_after(const struct bare_log *log, uint64_t id)
{
    uint64_t next = id + 1;
    if (next > log->last_id || log->last_id - next >= BARE_LOG_IDS || log->starts[next % BARE_LOG_IDS] < log->base) {
        return bare_log_end(log);
    }
    return log->starts[next % BARE_LOG_IDS];
}
