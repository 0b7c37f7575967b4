#include "sink/stdout_sink.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/metrics.h"
#include "hub/ports.h"
#include "sink/sink_record.h"

#define QUEUE_BYTES (1u << 20)
#define LOOK_MS     200

struct gw_stdout_sink {
    struct gw_sink port;
    int fd;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t has_work;
    struct gw_buffer queue; /* under the lock, as the next three */
    size_t record_count;    /* in the queue */
    bool is_stopping, is_writing;
    size_t max_bytes;
    struct gw_metric *sent, *dropped;
};

static void on_write(void *self, const struct gw_sink_record *record)
{
    struct gw_stdout_sink *sink = self;
    struct gw_buffer line;
    gw_buffer_init(&line, 0);
    gw_sink_record_write(record, &line);
    pthread_mutex_lock(&sink->lock);
    size_t before = sink->queue.length;
    bool fits = !line.has_failed && before + line.length <= sink->max_bytes;
    if (fits)
        gw_buffer_append(&sink->queue, line.data, line.length);
    fits = fits && !sink->queue.has_failed;
    sink->queue.has_failed = false;
    sink->record_count += fits;
    pthread_cond_signal(&sink->has_work);
    pthread_mutex_unlock(&sink->lock);
    if (!fits)
        gw_metric_add(sink->dropped, 1);
    gw_buffer_fini(&line);
}

static bool is_stopping(struct gw_stdout_sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    bool answer = sink->is_stopping;
    pthread_mutex_unlock(&sink->lock);
    return answer;
}

/* A pipe that polls writable takes PIPE_BUF bytes without blocking (POSIX write): so the thread can always be stopped, whoever reads or not. */
static bool write_all(struct gw_stdout_sink *sink, const char *text, size_t length)
{
    struct pollfd ready = {.fd = sink->fd, .events = POLLOUT};
    while (length > 0) {
        int count = poll(&ready, 1, LOOK_MS);
        if (count < 0 && errno != EINTR)
            return false;
        if (count <= 0) {
            if (is_stopping(sink))
                return false;
            continue;
        }
        ssize_t taken = write(sink->fd, text, length < PIPE_BUF ? length : PIPE_BUF);
        if (taken < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        text += taken > 0 ? taken : 0;
        length -= taken > 0 ? (size_t)taken : 0;
    }
    return true;
}

/* Under the lock, which it gives up while it writes. */
static void write_queue(struct gw_stdout_sink *sink)
{
    size_t length, count = sink->record_count;
    char *text = gw_buffer_take(&sink->queue, &length);
    sink->record_count = 0;
    sink->is_writing = true;
    pthread_mutex_unlock(&sink->lock);
    bool was_written = text && write_all(sink, text, length);
    gw_metric_add(was_written ? sink->sent : sink->dropped, (int64_t)count);
    gw_free(text);
    pthread_mutex_lock(&sink->lock);
    sink->is_writing = false;
}

static void *run(void *arg)
{
    struct gw_stdout_sink *sink = arg;
    pthread_mutex_lock(&sink->lock);
    for (;;) {
        while (sink->queue.length == 0 && !sink->is_stopping)
            pthread_cond_wait(&sink->has_work, &sink->lock);
        if (sink->queue.length == 0)
            break;
        write_queue(sink);
    }
    pthread_mutex_unlock(&sink->lock);
    return NULL;
}

static int start_thread(struct gw_stdout_sink *sink)
{
    sigset_t all, old;
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_BLOCK, &all, &old);
    int status = pthread_create(&sink->thread, NULL, run, sink);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return status;
}

static void release(struct gw_stdout_sink *sink)
{
    gw_buffer_fini(&sink->queue);
    pthread_cond_destroy(&sink->has_work);
    pthread_mutex_destroy(&sink->lock);
    gw_free(sink);
}

int gw_stdout_sink_create(const struct gw_stdout_sink_opts *opts, struct gw_stdout_sink **out, struct gw_error *err)
{
    struct gw_stdout_sink *sink = gw_alloc(sizeof *sink);
    sink->port = (struct gw_sink){.self = sink, .write = on_write};
    sink->fd = opts->fd;
    sink->max_bytes = opts->max_bytes ? opts->max_bytes : QUEUE_BYTES;
    sink->sent =
        gw_metrics_counter(opts->metrics, "atoms_sink_records_total", "outcome=\"sent\"", "Records given to the sink, by outcome.");
    sink->dropped =
        gw_metrics_counter(opts->metrics, "atoms_sink_records_total", "outcome=\"dropped\"", "Records given to the sink, by outcome.");
    gw_buffer_init(&sink->queue, 0);
    pthread_mutex_init(&sink->lock, NULL);
    pthread_cond_init(&sink->has_work, NULL);
    int status = start_thread(sink);
    if (status) {
        release(sink);
        return gw_error_set(err, GW_EIO, "no_thread", "no thread for the sink: %s", strerror(status));
    }
    *out = sink;
    return GW_OK;
}

void gw_stdout_sink_destroy(struct gw_stdout_sink *sink)
{
    if (!sink)
        return;
    pthread_mutex_lock(&sink->lock);
    sink->is_stopping = true;
    pthread_cond_signal(&sink->has_work);
    pthread_mutex_unlock(&sink->lock);
    pthread_join(sink->thread, NULL);
    release(sink);
}

const struct gw_sink *gw_stdout_sink_port(const struct gw_stdout_sink *sink) { return &sink->port; }

bool gw_stdout_sink_is_idle(struct gw_stdout_sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    bool is_idle = sink->queue.length == 0 && !sink->is_writing;
    pthread_mutex_unlock(&sink->lock);
    return is_idle;
}
