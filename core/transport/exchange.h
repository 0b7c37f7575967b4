/* exchange.h — one request and its answer. Holds copies of what it needs, so the parser may go on with the next request, and outlives its connection when that
 * goes first. A handler gets it when the body is complete and the bearer verified; it answers once, now or later. */
#ifndef GW_TRANSPORT_EXCHANGE_H
#define GW_TRANSPORT_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/id.h"
#include "hub/ports.h"
#include "identity/verifier.h"
#include "protocol/http1.h"

struct gw_connection;
struct gw_identity;
struct gw_plan;
struct gw_route;
struct gw_server;

#define GW_PARAMS_MAX 32

/* value: one decoded query parameter */
struct gw_param {
    const char *name, *value;
};

struct gw_exchange {
    struct gw_exchange *next;
    struct gw_connection *connection; /* NULL once it is gone */
    struct gw_server *server;
    const struct gw_route *route;
    char *copies;               /* one block that the texts below point into */
    const char *path, *path_id; /* path_id: the variable segment of the route, or "" */
    const char *bearer, *last_event_id, *origin, *content_type, *host, *admin_header, *if_scheme;
    uint64_t connection_number; /* these two for the log */
    char run_id[GW_ID_MAX + 1];
    struct gw_param params[GW_PARAMS_MAX];
    size_t param_count;
    struct gw_buffer body;
    struct gw_verify verify;
    struct gw_identity *identity; /* set before the handler runs, on routes that need one */
    struct gw_scope shown_scope;  /* where, and by which class, what it answers is shown; class 0: it shows nothing */
    uint64_t shown_class;
    void *work;              /* the handler's; it frees it before answering */
    struct gw_buffer answer; /* head and body */
    uint64_t ends_at_byte;   /* of the connection's output: unsent.h */
    bool is_head_request, closes, is_answered, is_verifying;
    bool has_origin_allowed;
    bool owes_continue;               /* its peer awaits 100 before it sends the body */
    bool is_asked_first, is_admitted; /* who it is was looked at before the body came, since that may be large; and may send it */
    /* A body that is taken as it arrives: such an exchange is handled when its head is there. Its bytes gather in `body`, and on_body, which the handler sets,
     * is called for more of them, for the end, and when body_status is set; it takes what it can use. on_lost instead of any further call: the connection is
     * gone, and the exchange is the handler's to destroy. While is_held no more is read. */
    void (*on_body)(struct gw_exchange *exchange);
    void (*on_lost)(struct gw_exchange *exchange);
    bool is_streamed, is_body_ended, is_held;
    int body_status; /* not 0: the rest of the body will not come, or is not wanted; the answer is this status with body_err */
    struct gw_error body_err;
};

/* Copies what is needed of `request`; with a query that does not decode, or too many parameters, err is set and the exchange can only be refused. */
struct gw_exchange *gw_exchange_create(struct gw_connection *connection, const struct gw_http1_request *request, int *status,
                                       struct gw_error *err);
void gw_exchange_destroy(struct gw_exchange *exchange);

const char *gw_exchange_param(const struct gw_exchange *exchange, const char *name); /* NULL when absent */
/* Reads the scope ids from the query; run_id only if it has_run, else that is "". missing_id or bad_id with the parameter's name as the path. */
int gw_exchange_scope(const struct gw_exchange *exchange, bool has_run, struct gw_scope *scope, struct gw_error *err);
/* Reads canvas_id parameters: sorted, unique. */
int gw_exchange_canvases(const struct gw_exchange *exchange, struct gw_canvas_set *set, struct gw_error *err);
/* Is the body said to be of that media type? Parameters do not count. */
bool gw_exchange_is_type(const struct gw_exchange *exchange, const char *type);
/* mode_not_served, unless this process serves that mode. */
int gw_exchange_check_mode(const struct gw_exchange *exchange, const char *mode, struct gw_error *err);
/* The bearer covers the scope, and this process serves its mode. */
int gw_exchange_admit(struct gw_exchange *exchange, const struct gw_scope *scope, struct gw_error *err);
/* The actor's lens plan; one new reference. */
int gw_exchange_plan(const struct gw_exchange *exchange, const struct gw_scope *scope, struct gw_plan **plan, struct gw_error *err);

/* What it answers is what that plan shows: until the answer is all out it holds only as long as that is the actor's. */
void gw_exchange_show_by(struct gw_exchange *exchange, const struct gw_scope *scope, const struct gw_plan *plan);
/* What an answer shows was projected by `shown`: is that the actor's lens still? Then it is shown by it; after a policy narrows, nothing that the old one showed goes
 * out. GW_EBUSY policy_changed; or what the lens says now. */
int gw_exchange_check_lens(struct gw_exchange *exchange, const struct gw_scope *scope, const struct gw_plan *shown, struct gw_error *err);

/* More of a streamed body is wanted again. */
void gw_exchange_resume_body(struct gw_exchange *exchange);

/* Answers; each ends the exchange, which must not be touched afterwards. */
void gw_exchange_reply(struct gw_exchange *exchange, int status, const char *content_type, const char *body, size_t length);
void gw_exchange_refuse(struct gw_exchange *exchange, const struct gw_error *err);
/* As refuse with a status of its own (0 = by the error). */
void gw_exchange_refuse_with(struct gw_exchange *exchange, int status, const struct gw_error *err);
/* As refuse, with the member `changes` (JSON text; NULL: without). */
void gw_exchange_refuse_changed(struct gw_exchange *exchange, const struct gw_error *err, const char *changes, size_t length);
void gw_exchange_reply_empty(struct gw_exchange *exchange, int status, const struct gw_http1_header *headers, size_t count);
/* A whole answer, head included; the connection ends with it. */
void gw_exchange_reply_raw(struct gw_exchange *exchange, const char *bytes, size_t length);
/* The problem document of `err` alone, for batches; returns its HTTP status. */
int gw_exchange_write_problem(const struct gw_error *err, struct gw_buffer *out);

#endif
