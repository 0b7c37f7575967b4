/* webhook_sink.h — the sink port over HTTP: batches of records (sink_record.h) as application/x-ndjson, POSTed in order, one request at a time. 2xx takes a batch. No
 * answer, 408, 429 and 5xx are tried again after 250 ms, doubling up to 30 s, jittered; any other status drops the batch, since it would be refused for ever. The
 * queue is bounded by bytes: what comes when it is full is dropped and counted (atoms_sink_records_total). A receiver may get a batch twice, when its answer
 * was lost: run and seq tell. Lives on the HTTP client's loop; write on any thread. */
#ifndef GW_SINK_WEBHOOK_SINK_H
#define GW_SINK_WEBHOOK_SINK_H

#include <stdbool.h>
#include <stddef.h>

struct gw_clock;
struct gw_http_client;
struct gw_log;
struct gw_loop;
struct gw_metrics;
struct gw_sink;
struct gw_webhook_sink;

/* value; pointers borrowed for the sink's life, but for the texts, which are copied */
struct gw_webhook_sink_opts {
    struct gw_loop *loop; /* of the client; not running yet, or this is called on its thread */
    struct gw_http_client *client;
    const char *url;
    const char *token; /* sent as a bearer; "" = none */
    bool is_https_only;
    size_t max_bytes;       /* queued; 0 = 4 MiB */
    size_t max_batch_bytes; /* 0 = 256 KiB */
    const struct gw_clock *clock;
    struct gw_log *log;
    struct gw_metrics *metrics;
};

struct gw_webhook_sink *gw_webhook_sink_create(const struct gw_webhook_sink_opts *opts);
/* Nobody writes any more, and the loop does not run. Then close the client and destroy the loop, then destroy the sink: what is queued is dropped. */
void gw_webhook_sink_close(struct gw_webhook_sink *sink);   /* NULL is fine */
void gw_webhook_sink_destroy(struct gw_webhook_sink *sink); /* NULL is fine */
const struct gw_sink *gw_webhook_sink_port(const struct gw_webhook_sink *sink);
/* Any thread. Nothing is queued. */
bool gw_webhook_sink_is_idle(const struct gw_webhook_sink *sink);

#endif
