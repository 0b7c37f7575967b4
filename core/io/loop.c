#include "io/loop.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "io/loop_inside.h"
#include "io/mailbox.h"

#define MAX_INBOX_DEFAULT 65536
#define TASKS_PER_TURN    256
#define CLOSING_TURNS     1000

struct gw_loop {
    uv_loop_t uv;
    uv_async_t inbox_signal;
    uv_prepare_t before_sleep;
    uv_check_t after_sleep;
    uv_idle_t no_sleep;
    const struct gw_clock *clock;
    uint64_t now_ms;
    uint64_t turn_count;
    struct gw_turn_hook *first_hook, *last_hook;
    struct gw_turn_hook *next_hook; /* the one to run next while the hooks run: removal steps over it */
    struct gw_mailbox mailbox;
    atomic_bool is_stop_requested;
    bool is_finishing; /* being destroyed: nobody is left to be woken */
    bool has_thread;
    pthread_t thread;
    char name[16];
    struct gw_loop_socket_counts socket_counts;
    char *read_buffer;
    char *write_buffer;
};

static void run_hooks(struct gw_loop *loop)
{
    for (struct gw_turn_hook *hook = loop->first_hook; hook; hook = loop->next_hook) {
        loop->next_hook = hook->next;
        hook->run(hook);
    }
}

static void on_no_sleep(uv_idle_t *handle) { (void)handle; }

/* libuv runs prepare handles after all the work of a turn and before it computes how long it may sleep. */
static void on_before_sleep(uv_prepare_t *handle)
{
    struct gw_loop *loop = handle->data;
    uv_idle_stop(&loop->no_sleep);
    loop->turn_count++;
    run_hooks(loop);
}

static void on_after_sleep(uv_check_t *handle) { gw_loop_refresh_now_ms(handle->data); }

static void on_inbox(uv_async_t *handle)
{
    struct gw_loop *loop = handle->data;
    if (gw_mailbox_run(&loop->mailbox, TASKS_PER_TURN))
        uv_async_send(&loop->inbox_signal);
    if (atomic_load_explicit(&loop->is_stop_requested, memory_order_acquire))
        uv_stop(&loop->uv);
}

static void wake(void *arg)
{
    struct gw_loop *loop = arg;
    if (!loop->is_finishing)
        uv_async_send(&loop->inbox_signal);
}

static void ignore_broken_pipes(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
}

static void start_handles(struct gw_loop *loop)
{
    uv_prepare_init(&loop->uv, &loop->before_sleep);
    uv_check_init(&loop->uv, &loop->after_sleep);
    uv_idle_init(&loop->uv, &loop->no_sleep);
    loop->uv.data = loop;
    loop->inbox_signal.data = loop->before_sleep.data = loop->after_sleep.data = loop->no_sleep.data = loop;
    uv_prepare_start(&loop->before_sleep, on_before_sleep);
    uv_check_start(&loop->after_sleep, on_after_sleep);
}

int gw_loop_create(const struct gw_loop_opts *opts, struct gw_loop **out, struct gw_error *err)
{
    struct gw_loop *loop = gw_alloc(sizeof *loop);
    int failure = uv_loop_init(&loop->uv);
    if (failure)
        goto out_memory;
    failure = uv_async_init(&loop->uv, &loop->inbox_signal, on_inbox);
    if (failure)
        goto out_loop;
    start_handles(loop);
    ignore_broken_pipes();
    loop->clock = opts->clock;
    snprintf(loop->name, sizeof loop->name, "%s", opts->name ? opts->name : "loop");
    gw_mailbox_init(&loop->mailbox, opts->max_inbox ? opts->max_inbox : MAX_INBOX_DEFAULT, wake, loop);
    atomic_init(&loop->is_stop_requested, false);
    loop->read_buffer = gw_alloc(GW_LOOP_READ_BYTES);
    loop->write_buffer = gw_alloc(GW_LOOP_WRITE_BYTES);
    gw_loop_refresh_now_ms(loop);
    *out = loop;
    return 0;
out_loop:
    uv_loop_close(&loop->uv);
out_memory:
    gw_free(loop);
    return gw_loop_set_error(err, "loop_failed", "cannot create an event loop", failure);
}

/* Close callbacks may post, and tasks may close: both are run until neither is left. */
static void finish(struct gw_loop *loop)
{
    for (int turn = 0; turn < CLOSING_TURNS; turn++) {
        gw_mailbox_run(&loop->mailbox, SIZE_MAX);
        if (!uv_run(&loop->uv, UV_RUN_NOWAIT) && gw_mailbox_depth(&loop->mailbox) == 0)
            return;
    }
}

void gw_loop_destroy(struct gw_loop *loop)
{
    if (!loop)
        return;
    assert(!loop->has_thread);
    loop->is_finishing = true;
    uv_close((uv_handle_t *)&loop->inbox_signal, NULL);
    uv_close((uv_handle_t *)&loop->before_sleep, NULL);
    uv_close((uv_handle_t *)&loop->after_sleep, NULL);
    uv_close((uv_handle_t *)&loop->no_sleep, NULL);
    finish(loop);
    int left_open = uv_loop_close(&loop->uv);
    assert(left_open == 0);
    (void)left_open;
    gw_free(loop->read_buffer);
    gw_free(loop->write_buffer);
    gw_free(loop);
}

void gw_loop_run(struct gw_loop *loop)
{
    gw_loop_refresh_now_ms(loop);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    /* A stop leaves libuv before its next prepare phase: what the last turn gathered would not be written. */
    run_hooks(loop);
    atomic_store_explicit(&loop->is_stop_requested, false, memory_order_release);
}

static void *thread_main(void *arg)
{
    struct gw_loop *loop = arg;
    pthread_setname_np(pthread_self(), loop->name);
    gw_loop_run(loop);
    return NULL;
}

/* All but those that the kernel raises for a fault of the thread itself. */
static void fill_with_process_signals(sigset_t *set)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigfillset(set);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(set, faults[i]);
}

int gw_loop_start(struct gw_loop *loop, struct gw_error *err)
{
    assert(!loop->has_thread);
    sigset_t blocked, before;
    fill_with_process_signals(&blocked);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    int failure = pthread_create(&loop->thread, NULL, thread_main, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure)
        return gw_loop_set_error(err, "thread_failed", "cannot start a loop thread", -failure);
    loop->has_thread = true;
    return 0;
}

void gw_loop_join(struct gw_loop *loop)
{
    if (!loop->has_thread)
        return;
    pthread_join(loop->thread, NULL);
    loop->has_thread = false;
}

void gw_loop_stop(struct gw_loop *loop)
{
    gw_mailbox_close(&loop->mailbox);
    atomic_store_explicit(&loop->is_stop_requested, true, memory_order_release);
    uv_async_send(&loop->inbox_signal);
}

struct gw_executor *gw_loop_executor(struct gw_loop *loop) { return &loop->mailbox.port; }
void gw_loop_close_inbox(struct gw_loop *loop) { gw_mailbox_close(&loop->mailbox); }
size_t gw_loop_inbox_depth(const struct gw_loop *loop) { return gw_mailbox_depth(&loop->mailbox); }
const struct gw_clock *gw_loop_clock(const struct gw_loop *loop) { return loop->clock; }
uint64_t gw_loop_now_ms(const struct gw_loop *loop) { return loop->now_ms; }
uint64_t gw_loop_turn_count(const struct gw_loop *loop) { return loop->turn_count; }

void gw_loop_on_turn_end(struct gw_loop *loop, struct gw_turn_hook *hook)
{
    hook->next = NULL;
    hook->previous = loop->last_hook;
    if (loop->last_hook)
        loop->last_hook->next = hook;
    else
        loop->first_hook = hook;
    loop->last_hook = hook;
}

void gw_loop_remove_turn_hook(struct gw_loop *loop, struct gw_turn_hook *hook)
{
    if (loop->next_hook == hook)
        loop->next_hook = hook->next;
    if (hook->previous)
        hook->previous->next = hook->next;
    else
        loop->first_hook = hook->next;
    if (hook->next)
        hook->next->previous = hook->previous;
    else
        loop->last_hook = hook->previous;
    hook->next = hook->previous = NULL;
}

void gw_loop_request_turn(struct gw_loop *loop) { uv_idle_start(&loop->no_sleep, on_no_sleep); }

uv_loop_t *gw_loop_uv(struct gw_loop *loop) { return &loop->uv; }
struct gw_loop *gw_loop_of(const uv_handle_t *handle) { return handle->loop->data; }
char *gw_loop_read_buffer(struct gw_loop *loop) { return loop->read_buffer; }
char *gw_loop_write_buffer(struct gw_loop *loop) { return loop->write_buffer; }
struct gw_loop_socket_counts *gw_loop_socket_counts(struct gw_loop *loop) { return &loop->socket_counts; }

uint64_t gw_loop_refresh_now_ms(struct gw_loop *loop)
{
    loop->now_ms = loop->clock->monotonic_ms(loop->clock->self);
    return loop->now_ms;
}

int gw_loop_set_error(struct gw_error *err, const char *id, const char *what, int uv_code)
{
    char reason[120];
    return gw_error_set(err, GW_EIO, id, "%s: %s", what, uv_strerror_r(uv_code, reason, sizeof reason));
}
