/* calls.h — for tests of the spine port: an executor whose tasks the test's thread runs, and calls that wait for their answer. Owns nothing
 * beyond the inbox. One test thread waits; any thread posts. A wait that exceeds 30 s fails the test. */
#ifndef SPEC_SPINE_CALLS_H
#define SPEC_SPINE_CALLS_H

#include <pthread.h>
#include <stdbool.h>

#include "hub/ports.h"

struct inbox {
    struct gw_executor executor;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct gw_task *head, **end;
};

void inbox_init(struct inbox *inbox);
void inbox_fini(struct inbox *inbox);
/* Runs tasks until *counter, which they change, has reached `goal`. */
void inbox_run_until(struct inbox *inbox, const size_t *counter, size_t goal);
/* Whether a task waits. */
bool inbox_has_task(struct inbox *inbox);

struct gw_run_key run_key(const char *name);

/* An append and the count of answers that it adds to. */
struct append_call {
    struct gw_spine_append request; /* first */
    size_t *answers;
    bool is_answered;
};
void append_start(const struct gw_spine *port, struct inbox *inbox, struct append_call *call, size_t *answers);

/* These wait. The status is returned, or stands in the request. */
int append_text(const struct gw_spine *port, const char *run, uint64_t first, uint64_t last, const char *payload);
struct gw_spine_read read_range(const struct gw_spine *port, const char *run, uint64_t from, uint64_t to, size_t max_bytes);
struct gw_spine_tail find_tail(const struct gw_spine *port, const char *run);
/* `chunks` ends with NULL. */
int put_blob(const struct gw_spine *port, const char *run, uint64_t seq, unsigned keep, const char *const *chunks);
int put_blob_of(const struct gw_spine *port, const char *run, enum gw_spine_blob_kind kind, uint64_t seq, unsigned keep,
                const char *const *chunks);
/* 0: the whole run. */
int erase_below(const struct gw_spine *port, const char *run, uint64_t floor_seq);
int erase_keeping(const struct gw_spine *port, const char *run, uint64_t floor_seq, const struct gw_spine_kept *kept, size_t count);
struct gw_spine_get get_blob(const struct gw_spine *port, const char *run, enum gw_spine_blob_kind kind, uint64_t at_most_seq);

#endif
