/* connection.h — one HTTP/1.1 connection: parses requests, runs up to a few of them at a time, answers in order, or turns into an event stream. Owns the
 * socket and its exchanges; lives on its worker. Its parser and buffers go when it becomes a stream, so that an idle stream costs little. */
#ifndef GW_TRANSPORT_CONNECTION_H
#define GW_TRANSPORT_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "io/socket.h"
#include "io/timer.h"
#include "protocol/http1.h"
#include "transport/server.h"
#include "transport/unsent.h"

struct gw_exchange;
struct gw_route;
struct gw_stream;

/* While requests are parsed and answered; freed when the connection streams. */
struct gw_conversation {
    struct gw_http1 *parser;
    struct gw_buffer input;            /* bytes that a paused parser left */
    struct gw_buffer output;           /* answers not yet taken by the socket */
    struct gw_buffer farewell;         /* the refusal of bytes that are no request; goes out after the answers before it */
    struct gw_exchange *first, **last; /* in order of arrival; the first is answered first */
    size_t exchange_count;
    struct gw_unsent unsent;     /* answered, and still in `output` */
    struct gw_exchange *reading; /* its body is arriving */
    uint64_t head_count;         /* requests whose head was read */
    uint64_t timed_for;          /* what the timer awaits: it runs on while that is the same */
    bool is_input_ended;         /* nothing more is parsed */
    bool has_eof;                /* nothing more comes */
    bool is_lingering;           /* all was said; what comes is thrown away */
    bool closes_after_output, is_feeding;
    bool is_dirty; /* has answers to send at the end of the turn */
    struct gw_connection *next_dirty;
};

struct gw_connection {
    struct gw_socket socket; /* first: the socket's callbacks find the connection by it */
    struct gw_server *server;
    struct gw_timer timer;
    struct gw_conversation *talk; /* NULL once it streams */
    struct gw_stream *stream;
    struct gw_connection *next, **link;
    uint64_t number; /* for the log: unique per worker */
    uint8_t surface;
};

/* request.c: what the parser finds. `user` is the connection. */
extern const struct gw_http1_events gw_request_events;

/* Sends the 100 that the request being read owes, now or when its turn comes. */
void gw_connection_invite_body(struct gw_connection *connection);

/* The connection is counted already; its end, or a failure here, counts it out. */
void gw_connection_open(struct gw_server *server, enum gw_surface surface, int fd /* taken */);
/* The exchange's answer is complete: what is in order goes out at the end of the turn, with all others of this connection. */
void gw_connection_answered(struct gw_connection *connection);
/* Something that it waited for is there: it goes on at the end of the turn. */
void gw_connection_resume(struct gw_connection *connection);
/* A body that is taken as it arrives ends here, with that refusal; no other is touched. */
void gw_connection_cut_body(struct gw_connection *connection, int status, const struct gw_error *err);
/* The end of a turn: sends the answers that it brought, and takes what waited for them. */
void gw_connection_settle(struct gw_connection *connection);
/* The policies of the tenant (NULL: of all) are other ones: ends when an answer that is not all out was made by a lens that is another now. */
void gw_connection_ask_lenses(struct gw_connection *connection, const char *tenant_id);
/* Frees the conversation: from now on the socket's bytes are the stream's. */
void gw_connection_become_stream(struct gw_connection *connection, struct gw_stream *stream);
void gw_connection_close(struct gw_connection *connection);
/* Nothing is under way: may be closed at once when draining. */
bool gw_connection_is_idle(const struct gw_connection *connection);

#endif
