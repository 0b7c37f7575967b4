/* listener.h — a TCP listener of one loop. Several loops may listen on one address (SO_REUSEPORT): the kernel spreads the connections.
 * Lives on its loop's thread. When descriptors run out it accepts and closes, counted, with a descriptor kept in reserve, and never spins.
 * Not a connection limit: the owner counts and pauses. */
#ifndef GW_IO_LISTENER_H
#define GW_IO_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

struct gw_address;
struct gw_error;
struct gw_listener;
struct gw_loop;

/* value */
struct gw_listener_opts {
    const struct gw_address *address;
    bool reuse_port;     /* share the address with the other loops */
    bool is_first;       /* of those that share it: nobody may listen there yet, not even one that would share */
    int backlog;         /* 0 = 4096; the kernel caps it at net.core.somaxconn */
    unsigned turn_limit; /* accepts per turn; 0 = 64 */
    /* A new nonblocking descriptor, the callee's. May pause or close the listener. */
    void (*on_accept)(void *arg, int fd /* taken */, const struct gw_address *peer);
    void *arg;
};

/* value: since the listener was opened */
struct gw_listener_counters {
    uint64_t accepted;
    uint64_t shed;   /* accepted and closed at once for want of descriptors */
    uint64_t failed; /* other failures of accept */
};

/* Binds and listens. GW_EIO listen_failed (address in use, no permission …), the message names the address; IPv6 is IPv6 only. */
int gw_listener_open(struct gw_loop *loop, const struct gw_listener_opts *opts, struct gw_listener **out, struct gw_error *err);
/* Stops accepting; on_accept is not called again. Frees itself with the next turn of the loop, or its destroy. NULL is fine. */
void gw_listener_close(struct gw_listener *listener);
/* While paused, connections wait in the kernel's backlog. */
void gw_listener_pause(struct gw_listener *listener);
void gw_listener_resume(struct gw_listener *listener);
bool gw_listener_is_paused(const struct gw_listener *listener);
/* The port that it is bound to: the kernel's choice for port 0. */
uint16_t gw_listener_port(const struct gw_listener *listener);
/* Any thread. */
void gw_listener_read_counters(const struct gw_listener *listener, struct gw_listener_counters *out);

#endif
