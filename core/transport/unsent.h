/* unsent.h — answers of one connection that its socket has not taken to their last byte, in order: what they were made by is still known, so that those of a lens
 * that is another now can be held back. Owns the exchanges; at most as many as may be pipelined, since no further request is taken then. On its worker. */
#ifndef GW_TRANSPORT_UNSENT_H
#define GW_TRANSPORT_UNSENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_exchange;

/* value; all zero is empty */
struct gw_unsent {
    struct gw_exchange *first, *last;
    size_t count;
    uint64_t sent_bytes; /* that the socket has taken of the connection's output */
};

/* An answer that now stands at the end of `output_bytes` of output. */
void gw_unsent_add(struct gw_unsent *unsent, struct gw_exchange *exchange /* taken */, size_t output_bytes);
/* The socket took so many bytes more. */
void gw_unsent_sent(struct gw_unsent *unsent, size_t bytes);
void gw_unsent_fini(struct gw_unsent *unsent);

#endif
