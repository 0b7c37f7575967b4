#include "io/mailbox.h"

#include <stdint.h>

/* Whoever finds the stack empty wakes the reader; all others know that a wake-up is on its way, because the reader takes the whole stack at
 * once. */
static void push(struct gw_mailbox *mailbox, struct gw_task *task)
{
    struct gw_task *head = atomic_load_explicit(&mailbox->posted, memory_order_relaxed);
    do {
        task->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->posted, &head, task, memory_order_release, memory_order_relaxed));
    if (!head)
        mailbox->wake(mailbox->wake_arg);
}

static void post(void *self, struct gw_task *task)
{
    struct gw_mailbox *mailbox = self;
    atomic_fetch_add_explicit(&mailbox->depth, 1, memory_order_relaxed);
    push(mailbox, task);
}

static bool try_post(void *self, struct gw_task *task)
{
    struct gw_mailbox *mailbox = self;
    if (atomic_load_explicit(&mailbox->is_closed, memory_order_acquire))
        return false;
    if (atomic_fetch_add_explicit(&mailbox->depth, 1, memory_order_relaxed) >= mailbox->max_depth) {
        atomic_fetch_sub_explicit(&mailbox->depth, 1, memory_order_relaxed);
        return false;
    }
    push(mailbox, task);
    return true;
}

void gw_mailbox_init(struct gw_mailbox *mailbox, size_t max_depth, void (*wake)(void *arg), void *wake_arg)
{
    mailbox->port = (struct gw_executor){mailbox, post, try_post};
    atomic_init(&mailbox->posted, NULL);
    atomic_init(&mailbox->depth, 0);
    atomic_init(&mailbox->is_closed, false);
    mailbox->max_depth = max_depth;
    mailbox->wake = wake;
    mailbox->wake_arg = wake_arg;
    mailbox->first = mailbox->last = NULL;
}

/* Moves what has been posted behind what was taken before, oldest first. */
static void take(struct gw_mailbox *mailbox)
{
    struct gw_task *newest = atomic_exchange_explicit(&mailbox->posted, NULL, memory_order_acquire);
    struct gw_task *oldest = NULL;
    for (struct gw_task *task = newest, *next; task; task = next) {
        next = task->next;
        task->next = oldest;
        oldest = task;
    }
    if (!oldest)
        return;
    if (mailbox->last)
        mailbox->last->next = oldest;
    else
        mailbox->first = oldest;
    mailbox->last = newest;
}

bool gw_mailbox_run(struct gw_mailbox *mailbox, size_t limit)
{
    take(mailbox);
    for (size_t i = 0; i < limit && mailbox->first; i++) {
        struct gw_task *task = mailbox->first;
        mailbox->first = task->next;
        if (!mailbox->first)
            mailbox->last = NULL;
        atomic_fetch_sub_explicit(&mailbox->depth, 1, memory_order_relaxed);
        task->run(task);
    }
    return mailbox->first != NULL;
}

void gw_mailbox_close(struct gw_mailbox *mailbox) { atomic_store_explicit(&mailbox->is_closed, true, memory_order_release); }

size_t gw_mailbox_depth(const struct gw_mailbox *mailbox) { return atomic_load_explicit(&mailbox->depth, memory_order_relaxed); }
