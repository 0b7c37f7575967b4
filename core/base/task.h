/* task.h — a unit of work handed to a thread, and the port through which it is handed. The task is embedded in the request that it serves,
 * so posting allocates nothing and cannot fail for want of memory. The poster owns the memory until `run` is called on the target thread;
 * from then on it is the receiver's. io/mailbox implements the port over an event loop; tests run tasks by hand. */
#ifndef GW_BASE_TASK_H
#define GW_BASE_TASK_H

#include <stdbool.h>

struct gw_task {
    void (*run)(struct gw_task *task); /* on the target thread; set by the poster */
    struct gw_task *next;              /* the queue's */
};

/* A thread's inbox. `self` is the implementation's. Calls are safe from any thread. */
struct gw_executor {
    void *self;
    /* Never refused: for completions, whose number is bounded by the requests that were admitted. FIFO per poster. */
    void (*post)(void *self, struct gw_task *task);
    /* Refused (false) when the inbox holds its maximum or is closing: for new requests. */
    bool (*try_post)(void *self, struct gw_task *task);
};

#endif
