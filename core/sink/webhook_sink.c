#include "sink/webhook_sink.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "hub/ports.h"
#include "io/http_client.h"
#include "io/loop.h"
#include "io/timer.h"
#include "sink/sink_record.h"

#define QUEUE_BYTES        (4u << 20)
#define BATCH_BYTES        (256u << 10)
#define FIRST_DELAY_MS     250
#define MAX_DELAY_MS       30000
#define MAX_RESPONSE_BYTES (64u << 10)

/* One line on its way to the loop, then in its queue. */
struct line {
    struct gw_task task; /* first */
    struct gw_webhook_sink *sink;
    struct line *next;
    size_t length;
    char *text; /* owned */
};

struct gw_webhook_sink {
    struct gw_sink port;
    struct gw_webhook_sink_opts opts;
    char *url, *authorization;
    const char *headers[2];
    atomic_size_t queued_bytes;
    /* on the loop */
    struct line *first, **last;
    struct gw_buffer batch; /* under way, or to be tried again */
    size_t batch_count;
    struct gw_http_request request;
    struct gw_alarm *alarm;
    uint32_t delay_ms; /* of the next try; 0: none has failed */
    bool is_sending, is_waiting, is_closing;
    struct gw_metric *sent, *dropped, *retries;
};

static void send_next(struct gw_webhook_sink *sink);

static void line_destroy(struct line *line)
{
    gw_free(line->text);
    gw_free(line);
}

/* ---- any thread ------------------------------------------------------------------------------------------------------------------------ */

static void on_line(struct gw_task *task)
{
    struct line *line = (struct line *)(void *)task;
    struct gw_webhook_sink *sink = line->sink;
    line->next = NULL;
    *sink->last = line;
    sink->last = &line->next;
    send_next(sink);
}

static bool take_room(struct gw_webhook_sink *sink, size_t length)
{
    size_t before = atomic_fetch_add(&sink->queued_bytes, length);
    if (before + length <= sink->opts.max_bytes)
        return true;
    atomic_fetch_sub(&sink->queued_bytes, length);
    return false;
}

static void on_write(void *self, const struct gw_sink_record *record)
{
    struct gw_webhook_sink *sink = self;
    struct gw_executor *home = gw_loop_executor(sink->opts.loop);
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_sink_record_write(record, &text);
    if (text.has_failed || !take_room(sink, text.length)) {
        gw_metric_add(sink->dropped, 1);
        gw_buffer_fini(&text);
        return;
    }
    struct line *line = gw_alloc(sizeof *line);
    line->sink = sink;
    line->text = gw_buffer_take(&text, &line->length);
    line->task.run = on_line;
    home->post(home->self, &line->task);
}

/* ---- batches --------------------------------------------------------------------------------------------------------------------------- */

static void fill_batch(struct gw_webhook_sink *sink)
{
    while (sink->first && (sink->batch.length == 0 || sink->batch.length + sink->first->length <= sink->opts.max_batch_bytes)) {
        struct line *line = sink->first;
        sink->first = line->next;
        if (!sink->first)
            sink->last = &sink->first;
        gw_buffer_append(&sink->batch, line->text, line->length);
        sink->batch_count++;
        line_destroy(line);
    }
}

static void end_batch(struct gw_webhook_sink *sink, struct gw_metric *outcome)
{
    gw_metric_add(outcome, (int64_t)sink->batch_count);
    atomic_fetch_sub(&sink->queued_bytes, sink->batch.length);
    gw_buffer_reset(&sink->batch);
    sink->batch_count = 0;
}

static void log_outcome(const struct gw_webhook_sink *sink, enum gw_log_level level, const char *event)
{
    gw_log_write(sink->opts.log, level, event,
                 (struct gw_log_field[]){GW_F_UINT("http_status", sink->request.http_status),
                                         GW_F_TEXT("code", sink->request.status ? sink->request.err.id : ""),
                                         GW_F_UINT("records", sink->batch_count), GW_F_END});
}

static void wait_and_retry(struct gw_webhook_sink *sink)
{
    const struct gw_clock *clock = sink->opts.clock;
    uint32_t draw;
    if (sink->delay_ms == 0)
        log_outcome(sink, GW_LOG_WARN, "sink_unavailable");
    sink->delay_ms = sink->delay_ms ? sink->delay_ms * 2 : FIRST_DELAY_MS;
    if (sink->delay_ms > MAX_DELAY_MS)
        sink->delay_ms = MAX_DELAY_MS;
    clock->random(clock->self, &draw, sizeof draw);
    sink->is_waiting = true;
    gw_metric_add(sink->retries, 1);
    gw_alarm_start(sink->alarm, sink->delay_ms / 2 + draw % (sink->delay_ms / 2 + 1), 0);
}

static bool is_worth_retrying(const struct gw_http_request *request)
{
    if (request->status)
        return true;
    return request->http_status == 408 || request->http_status == 429 || request->http_status >= 500;
}

static void judge_response(struct gw_webhook_sink *sink)
{
    if (!sink->request.status && sink->request.http_status >= 200 && sink->request.http_status < 300) {
        if (sink->delay_ms)
            log_outcome(sink, GW_LOG_INFO, "sink_recovered");
        sink->delay_ms = 0;
        end_batch(sink, sink->sent);
    } else if (is_worth_retrying(&sink->request)) {
        wait_and_retry(sink);
    } else {
        log_outcome(sink, GW_LOG_ERROR, "sink_refused");
        end_batch(sink, sink->dropped);
    }
}

static void on_response(struct gw_http_request *request)
{
    struct gw_webhook_sink *sink = request->owner;
    sink->is_sending = false;
    if (!sink->is_closing)
        judge_response(sink);
    gw_http_request_fini(request);
    send_next(sink);
}

static void send_next(struct gw_webhook_sink *sink)
{
    struct gw_error err;
    if (sink->is_sending || sink->is_waiting || sink->is_closing)
        return;
    if (sink->batch.length == 0)
        fill_batch(sink);
    if (sink->batch.length == 0)
        return;
    sink->request = (struct gw_http_request){.method = "POST",
                                             .url = sink->url,
                                             .headers = sink->headers,
                                             .header_count = sink->authorization ? 2 : 1,
                                             .body = sink->batch.data,
                                             .body_length = sink->batch.length,
                                             .max_response_bytes = MAX_RESPONSE_BYTES,
                                             .is_https_only = sink->opts.is_https_only,
                                             .done = on_response,
                                             .owner = sink};
    sink->is_sending = true;
    if (sink->batch.has_failed || gw_http_request_start(sink->opts.client, &sink->request, &err)) {
        sink->is_sending = false;
        end_batch(sink, sink->dropped);
    }
}

static void on_alarm(void *arg)
{
    struct gw_webhook_sink *sink = arg;
    sink->is_waiting = false;
    send_next(sink);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------------ */

static char *make_authorization(const char *token)
{
    struct gw_buffer text;
    size_t length;
    if (!token || !token[0])
        return NULL;
    gw_buffer_init(&text, 0);
    gw_buffer_append_text(&text, "Authorization: Bearer ");
    gw_buffer_append_text(&text, token);
    return gw_buffer_take(&text, &length);
}

struct gw_webhook_sink *gw_webhook_sink_create(const struct gw_webhook_sink_opts *opts)
{
    static const char help[] = "Records given to the sink, by outcome.";
    struct gw_webhook_sink *sink = gw_alloc(sizeof *sink);
    sink->port = (struct gw_sink){.self = sink, .write = on_write};
    sink->opts = *opts;
    sink->opts.max_bytes = opts->max_bytes ? opts->max_bytes : QUEUE_BYTES;
    sink->opts.max_batch_bytes = opts->max_batch_bytes ? opts->max_batch_bytes : BATCH_BYTES;
    sink->url = gw_strdup(opts->url);
    sink->authorization = make_authorization(opts->token);
    sink->headers[0] = "Content-Type: application/x-ndjson";
    sink->headers[1] = sink->authorization;
    sink->last = &sink->first;
    gw_buffer_init(&sink->batch, 0);
    sink->alarm = gw_alarm_create(opts->loop, on_alarm, sink);
    sink->sent = gw_metrics_counter(opts->metrics, "atoms_sink_records_total", "outcome=\"sent\"", help);
    sink->dropped = gw_metrics_counter(opts->metrics, "atoms_sink_records_total", "outcome=\"dropped\"", help);
    sink->retries = gw_metrics_counter(opts->metrics, "atoms_sink_retries_total", "", "Batches that the sink has to try again.");
    return sink;
}

void gw_webhook_sink_close(struct gw_webhook_sink *sink)
{
    if (!sink)
        return;
    sink->is_closing = true;
    gw_alarm_close(sink->alarm);
    sink->alarm = NULL;
}

void gw_webhook_sink_destroy(struct gw_webhook_sink *sink)
{
    if (!sink)
        return;
    while (sink->first) {
        struct line *line = sink->first;
        sink->first = line->next;
        line_destroy(line);
    }
    gw_buffer_fini(&sink->batch);
    if (sink->authorization)
        gw_zero_secret(sink->authorization, strlen(sink->authorization));
    gw_free(sink->authorization);
    gw_free(sink->url);
    gw_free(sink);
}

const struct gw_sink *gw_webhook_sink_port(const struct gw_webhook_sink *sink) { return &sink->port; }

bool gw_webhook_sink_is_idle(const struct gw_webhook_sink *sink) { return atomic_load(&sink->queued_bytes) == 0; }
