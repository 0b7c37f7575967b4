#include "spine/calls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_S = 30 };

static void inbox_post(void *self, struct gw_task *task)
{
    struct inbox *inbox = self;
    pthread_mutex_lock(&inbox->lock);
    task->next = NULL;
    *inbox->end = task;
    inbox->end = &task->next;
    /* Under the lock: once it is free, the test may be done with the inbox. */
    pthread_cond_signal(&inbox->wake);
    pthread_mutex_unlock(&inbox->lock);
}

static bool inbox_try_post(void *self, struct gw_task *task)
{
    inbox_post(self, task);
    return true;
}

void inbox_init(struct inbox *inbox)
{
    inbox->executor = (struct gw_executor){inbox, inbox_post, inbox_try_post};
    pthread_mutex_init(&inbox->lock, NULL);
    pthread_cond_init(&inbox->wake, NULL);
    inbox->head = NULL;
    inbox->end = &inbox->head;
}

void inbox_fini(struct inbox *inbox)
{
    pthread_cond_destroy(&inbox->wake);
    pthread_mutex_destroy(&inbox->lock);
}

static struct gw_task *inbox_take(struct inbox *inbox)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += WAIT_S;
    pthread_mutex_lock(&inbox->lock);
    while (inbox->head == NULL)
        if (pthread_cond_timedwait(&inbox->wake, &inbox->lock, &deadline) == ETIMEDOUT) {
            fprintf(stderr, "no answer from the spine within %d s\n", WAIT_S);
            abort();
        }
    struct gw_task *task = inbox->head;
    inbox->head = task->next;
    if (inbox->head == NULL)
        inbox->end = &inbox->head;
    pthread_mutex_unlock(&inbox->lock);
    return task;
}

void inbox_run_until(struct inbox *inbox, const size_t *counter, size_t goal)
{
    while (*counter < goal) {
        struct gw_task *task = inbox_take(inbox);
        task->run(task);
    }
}

bool inbox_has_task(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    bool has_task = inbox->head != NULL;
    pthread_mutex_unlock(&inbox->lock);
    return has_task;
}

struct gw_run_key run_key(const char *name)
{
    struct gw_run_key key;
    snprintf(key.text, sizeof key.text, "tenant/dev/project/%s", name);
    return key;
}

/* ---- calls that wait ---------------------------------------------------------------------------------------------------------------- */

static void on_append(struct gw_spine_append *request)
{
    struct append_call *call = (struct append_call *)(void *)request;
    call->is_answered = true;
    ++*call->answers;
}

void append_start(const struct gw_spine *port, struct inbox *inbox, struct append_call *call, size_t *answers)
{
    call->request.home = &inbox->executor;
    call->request.done = on_append;
    call->answers = answers;
    call->is_answered = false;
    port->append(port->self, &call->request);
}

int append_text(const struct gw_spine *port, const char *run, uint64_t first, uint64_t last, const char *payload)
{
    struct inbox inbox;
    inbox_init(&inbox);
    size_t answers = 0;
    struct append_call call = {.request = {.run = run_key(run), .first_seq = first, .last_seq = last, .payload = payload}};
    call.request.payload_length = strlen(payload);
    append_start(port, &inbox, &call, &answers);
    inbox_run_until(&inbox, &answers, 1);
    inbox_fini(&inbox);
    return call.request.status;
}

/* The requests that a test makes one at a time count their answer in a field that they do not need. */
#define MARK_DONE(request) (*(size_t *)(request)->driver = 1)

static void on_read(struct gw_spine_read *request) { MARK_DONE(request); }
static void on_tail(struct gw_spine_tail *request) { MARK_DONE(request); }
static void on_put(struct gw_spine_put *request) { MARK_DONE(request); }
static void on_get(struct gw_spine_get *request) { MARK_DONE(request); }

/* The executors of the calls below stand in the caller's frame: `home` is cleared before the request is returned. */
struct gw_spine_read read_range(const struct gw_spine *port, const char *run, uint64_t from, uint64_t to, size_t max_bytes)
{
    struct inbox inbox;
    inbox_init(&inbox);
    size_t answers = 0;
    struct gw_spine_read request = {.run = run_key(run), .from_seq = from, .to_seq = to, .max_bytes = max_bytes, .home = &inbox.executor};
    request.done = on_read;
    request.driver = &answers;
    port->read(port->self, &request);
    inbox_run_until(&inbox, &answers, 1);
    inbox_fini(&inbox);
    request.home = NULL;
    return request;
}

struct gw_spine_tail find_tail(const struct gw_spine *port, const char *run)
{
    struct inbox inbox;
    inbox_init(&inbox);
    size_t answers = 0;
    struct gw_spine_tail request = {.run = run_key(run), .home = &inbox.executor, .done = on_tail, .driver = &answers};
    port->tail(port->self, &request);
    inbox_run_until(&inbox, &answers, 1);
    inbox_fini(&inbox);
    request.home = NULL;
    return request;
}

int put_blob_of(const struct gw_spine *port, const char *run, enum gw_spine_blob_kind kind, uint64_t seq, unsigned keep,
                const char *const *chunks)
{
    struct inbox inbox;
    inbox_init(&inbox);
    size_t answers = 0, lengths[16], count = 0;
    for (; chunks[count] != NULL; count++)
        lengths[count] = strlen(chunks[count]);
    struct gw_spine_put request = {.run = run_key(run), .kind = kind, .seq = seq, .keep = keep, .chunks = chunks, .lengths = lengths};
    request.chunk_count = count;
    request.home = &inbox.executor;
    request.done = on_put;
    request.driver = &answers;
    port->put(port->self, &request);
    inbox_run_until(&inbox, &answers, 1);
    inbox_fini(&inbox);
    return request.status;
}

int put_blob(const struct gw_spine *port, const char *run, uint64_t seq, unsigned keep, const char *const *chunks)
{
    return put_blob_of(port, run, GW_SPINE_CHECKPOINT, seq, keep, chunks);
}

struct gw_spine_get get_blob(const struct gw_spine *port, const char *run, enum gw_spine_blob_kind kind, uint64_t at_most_seq)
{
    struct inbox inbox;
    inbox_init(&inbox);
    size_t answers = 0;
    struct gw_spine_get request = {.run = run_key(run), .kind = kind, .at_most_seq = at_most_seq, .home = &inbox.executor};
    request.done = on_get;
    request.driver = &answers;
    port->get(port->self, &request);
    inbox_run_until(&inbox, &answers, 1);
    inbox_fini(&inbox);
    request.home = NULL;
    return request;
}

static void on_erase(struct gw_spine_erase *request) { MARK_DONE(request); }

int erase_below(const struct gw_spine *port, const char *run, uint64_t floor_seq) { return erase_keeping(port, run, floor_seq, NULL, 0); }

int erase_keeping(const struct gw_spine *port, const char *run, uint64_t floor_seq, const struct gw_spine_kept *kept, size_t count)
{
    struct inbox inbox;
    inbox_init(&inbox);
    size_t answers = 0;
    struct gw_spine_erase request = {.run = run_key(run), .floor_seq = floor_seq, .home = &inbox.executor};
    request.done = on_erase;
    request.driver = &answers;
    request.kept = kept;
    request.kept_count = count;
    port->erase(port->self, &request);
    inbox_run_until(&inbox, &answers, 1);
    inbox_fini(&inbox);
    return request.status;
}
