/* log.h — the bytes of a channel's recent events, ready to send, in one growing and sliding block; and where each event begins. A reader is
 * a position. One thread. What falls out at the front is gone: a reader behind it cannot go on. */
#ifndef BARE_LOG_H
#define BARE_LOG_H

#include <stddef.h>
#include <stdint.h>

struct bare_log {
    char *bytes;
    size_t length, capacity, max_bytes;
    uint64_t base;    /* position of bytes[0] */
    uint64_t *starts; /* of event id, at id % BARE_LOG_IDS */
    uint64_t last_id;
};

#define BARE_LOG_IDS 8192u

void bare_log_init(struct bare_log *log, size_t max_bytes);
void bare_log_fini(struct bare_log *log);
/* Appends ready bytes as the next event; aborts when one event exceeds half of max_bytes. */
void bare_log_append(struct bare_log *log, const char *frame, size_t length);
/* The position behind the last event. */
uint64_t bare_log_end(const struct bare_log *log);
/* The position behind event `id`, or the end when the log no longer holds it. */
uint64_t bare_log_after(const struct bare_log *log, uint64_t id);

#endif
