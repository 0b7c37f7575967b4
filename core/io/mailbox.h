/* mailbox.h — a thread's inbox: many posters, one reader, intrusive, without locks. Owns no task; wakes its reader through `wake`, which
 * is called by posters and only when the inbox was empty. loop.c joins it to the loop; nobody else needs it. Not for bulk data: tasks carry
 * pointers. */
#ifndef GW_IO_MAILBOX_H
#define GW_IO_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/task.h"

struct gw_mailbox {
    struct gw_executor port;
    struct gw_task *_Atomic posted; /* newest first */
    atomic_size_t depth;
    atomic_bool is_closed;
    size_t max_depth;
    void (*wake)(void *arg);
    void *wake_arg;
    struct gw_task *first, *last; /* the reader's: taken, oldest first */
};

void gw_mailbox_init(struct gw_mailbox *mailbox, size_t max_depth, void (*wake)(void *arg), void *wake_arg);
/* Reader. Runs at most `limit` tasks, oldest first; true when some are left. */
bool gw_mailbox_run(struct gw_mailbox *mailbox, size_t limit);
/* Any thread. try_post refuses from now on. */
void gw_mailbox_close(struct gw_mailbox *mailbox);
/* Any thread. Tasks posted and not yet run. */
size_t gw_mailbox_depth(const struct gw_mailbox *mailbox);

#endif
