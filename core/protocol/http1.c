#include "protocol/http1.h"

#include <assert.h>
#include <llhttp.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "protocol/http1_check.h"
#include "protocol/http1_scan.h"

/* Chunk sizes and extensions between two pieces of body; more is no body but a way to keep a connection busy. */
enum { FRAMING_MAX_BYTES = 16384, KEPT_HEAD_BYTES = 4096, REQUEST_LINE_EXTRA_BYTES = 64 };

struct gw_http1 {
    llhttp_t machine;
    const struct gw_http1_events *events;
    void *user;
    struct gw_http1_limits limits;
    enum gw_http1_phase phase;
    bool is_paused;
    bool has_head;      /* llhttp saw the end of the head */
    bool has_end;       /* llhttp saw the end of the message */
    bool has_suspended; /* llhttp stopped between two pieces of body and may go on without new bytes */
    bool is_value_open; /* llhttp is inside the value of the last header */
    int status;
    struct gw_http1_scan scan;
    struct gw_buffer head;
    const char *target;
    size_t target_length;
    struct gw_http1_header *headers;
    size_t header_count, header_capacity;
    struct gw_http1_request request;
    size_t max_body_bytes, body_bytes, framing_bytes;
    const char *max_body_name;
    const char *framing_from; /* in the running feed: bytes behind it are framing, unless on_body says otherwise */
    struct gw_error *err;     /* of the running feed, for the callbacks */
};

static const struct {
    const char *id;
    int status;
} statuses[] = {
    {"target_too_long", 414},  {"version_not_supported", 505}, {"method_not_supported", 501}, {"headers_too_large", 431},
    {"too_many_headers", 431}, {"body_too_large", 413},        {"expectation_failed", 417},   {"transfer_coding_not_supported", 501},
    {"out_of_memory", 503}};

static int status_of(const char *id)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (strcmp(statuses[i].id, id) == 0)
            return statuses[i].status;
    return 400;
}

/* ---- llhttp's callbacks ---- */

/* Head bytes lie in one piece, so the spans of one text follow each other; a gap would be a fold that the scan missed. */
static int extend(const char **text, size_t *length, const char *at, size_t count)
{
    if (*length && *text + *length != at)
        return -1;
    if (!*length)
        *text = at;
    *length += count;
    return 0;
}

static int on_url(llhttp_t *machine, const char *at, size_t length)
{
    struct gw_http1 *parser = machine->data;
    return extend(&parser->target, &parser->target_length, at, length);
}

static int on_header_field(llhttp_t *machine, const char *at, size_t length)
{
    struct gw_http1 *parser = machine->data;
    if (parser->phase == GW_HTTP1_BODY) {
        gw_error_set(parser->err, GW_EINVAL, "trailers_refused", "Trailer fields after a chunked body are not taken");
        return HPE_USER;
    }
    if (!parser->is_value_open) {
        if (parser->header_count == parser->header_capacity)
            return -1;
        parser->headers[parser->header_count++] = (struct gw_http1_header){.name = at, .value = at};
        parser->is_value_open = true;
    }
    struct gw_http1_header *header = &parser->headers[parser->header_count - 1];
    return extend(&header->name, &header->name_length, at, length);
}

static int on_header_value(llhttp_t *machine, const char *at, size_t length)
{
    struct gw_http1 *parser = machine->data;
    if (!parser->is_value_open)
        return -1;
    struct gw_http1_header *header = &parser->headers[parser->header_count - 1];
    return extend(&header->value, &header->value_length, at, length);
}

static int on_header_value_complete(llhttp_t *machine)
{
    struct gw_http1 *parser = machine->data;
    if (!parser->is_value_open)
        return -1;
    struct gw_http1_header *header = &parser->headers[parser->header_count - 1];
    while (header->value_length && strchr(" \t", header->value[header->value_length - 1]))
        header->value_length--;
    parser->is_value_open = false;
    return 0;
}

static int on_headers_complete(llhttp_t *machine)
{
    struct gw_http1 *parser = machine->data;
    parser->has_head = true;
    parser->request = (struct gw_http1_request){
        .method = llhttp_method_name((llhttp_method_t)machine->method),
        .headers = parser->headers,
        .header_count = parser->header_count,
        .version_minor = machine->http_minor,
        .keep_alive = llhttp_should_keep_alive(machine) != 0,
        .is_chunked = (machine->flags & F_CHUNKED) != 0,
        .has_content_length = (machine->flags & F_CONTENT_LENGTH) != 0,
        .content_length = machine->flags & F_CONTENT_LENGTH ? machine->content_length : 0,
        .is_upgrade = machine->upgrade != 0,
    };
    return 0;
}

static int refuse_body(struct gw_http1 *parser)
{
    return gw_error_limit(parser->err, "body_too_large", parser->max_body_name, (int64_t)parser->max_body_bytes,
                          "The body is longer than %zu bytes", parser->max_body_bytes);
}

/* Counts the framing up to `at`, so that a body is judged alike however it was cut into pieces. */
static int count_framing(struct gw_http1 *parser, const char *at)
{
    parser->framing_bytes += (size_t)(at - parser->framing_from);
    parser->framing_from = at;
    if (parser->framing_bytes <= FRAMING_MAX_BYTES)
        return 0;
    gw_error_set(parser->err, GW_EINVAL, "bad_chunk", "More than %d bytes of chunk framing without a byte of body", FRAMING_MAX_BYTES);
    return HPE_USER;
}

/* A chunk that cannot fit is refused by its size line, before its peer sends it. */
static int on_chunk_header(llhttp_t *machine)
{
    struct gw_http1 *parser = machine->data;
    if (machine->content_length <= parser->max_body_bytes - parser->body_bytes)
        return 0;
    refuse_body(parser);
    return HPE_USER;
}

static int on_body(llhttp_t *machine, const char *at, size_t length)
{
    struct gw_http1 *parser = machine->data;
    if (count_framing(parser, at))
        return HPE_USER;
    if (length > parser->max_body_bytes || parser->body_bytes > parser->max_body_bytes - length) {
        refuse_body(parser);
        return HPE_USER;
    }
    parser->body_bytes += length;
    parser->framing_bytes = 0;
    parser->framing_from = at + length;
    if (length)
        parser->events->on_body(parser->user, at, length);
    return parser->is_paused ? HPE_PAUSED : 0;
}

static int on_message_complete(llhttp_t *machine)
{
    struct gw_http1 *parser = machine->data;
    parser->has_end = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk_header,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* ---- the head ---- */

static const char *head_error_id(const struct gw_http1 *parser, llhttp_errno_t code)
{
    /* RFC 9113 section 3.4: the preface of HTTP/2 looks like a head; llhttp waits for its last two lines. */
    if (parser->machine.method == HTTP_PRI)
        return "version_not_supported";
    switch (code) {
    case HPE_INVALID_METHOD:
    case HPE_INVALID_CONSTANT:
        return "bad_request_line";
    case HPE_INVALID_URL:
        return "bad_target";
    case HPE_INVALID_VERSION:
        return "version_not_supported";
    case HPE_INVALID_CONTENT_LENGTH:
        return "bad_content_length";
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_INVALID_TRANSFER_ENCODING:
        return "bad_transfer_encoding";
    default:
        return "bad_header";
    }
}

static const char *reason_of(const struct gw_http1 *parser)
{
    const char *reason = llhttp_get_error_reason(&parser->machine);
    return reason && *reason ? reason : "The request is malformed";
}

static int refuse_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "No memory for the request head"); }

static int reserve_headers(struct gw_http1 *parser, struct gw_error *err)
{
    if (parser->scan.header_count <= parser->header_capacity)
        return 0;
    struct gw_http1_header *headers = gw_try_grow(parser->headers, parser->scan.header_count, sizeof *headers);
    if (!headers)
        return refuse_memory(err);
    parser->headers = headers;
    parser->header_capacity = parser->scan.header_count;
    return 0;
}

static int check_version(const struct gw_http1 *parser, struct gw_error *err)
{
    if (parser->machine.http_major == 1 && parser->machine.http_minor <= 1)
        return 0;
    return gw_error_set(err, GW_EINVAL, "version_not_supported", "This server speaks HTTP/1.1 and HTTP/1.0");
}

static int parse_head(struct gw_http1 *parser, struct gw_error *err)
{
    int rc = reserve_headers(parser, err);
    if (rc)
        return rc;
    llhttp_init(&parser->machine, HTTP_REQUEST, &settings);
    parser->machine.data = parser;
    llhttp_errno_t code = llhttp_execute(&parser->machine, parser->head.data, parser->head.length);
    bool is_good = code == HPE_OK || (code == HPE_PAUSED && parser->has_end);
    if (!is_good || !parser->has_head)
        return gw_error_set(err, GW_EINVAL, head_error_id(parser, code), "%s", reason_of(parser));
    rc = check_version(parser, err);
    return rc ? rc : gw_http1_check(&parser->request, parser->target, parser->target_length, err);
}

static int finish_head(struct gw_http1 *parser, struct gw_error *err)
{
    int rc = parse_head(parser, err);
    if (rc)
        return rc;
    llhttp_resume(&parser->machine);
    parser->phase = GW_HTTP1_BODY;
    gw_http1_set_max_body(parser, parser->limits.max_body_bytes, "max_body_bytes");
    parser->events->on_head(parser->user, &parser->request);
    return parser->request.content_length > parser->max_body_bytes ? refuse_body(parser) : 0;
}

static int feed_head(struct gw_http1 *parser, const char *bytes, size_t length, size_t *used, struct gw_error *err)
{
    parser->phase = GW_HTTP1_HEAD;
    int rc = gw_http1_scan_feed(&parser->scan, &parser->limits, bytes, length, used, err);
    if (rc)
        return rc;
    gw_buffer_append(&parser->head, bytes, *used);
    if (parser->head.has_failed)
        return refuse_memory(err);
    return parser->scan.state == GW_SCAN_WHOLE ? finish_head(parser, err) : 0;
}

/* ---- the body ---- */

static int feed_body(struct gw_http1 *parser, const char *bytes, size_t length, size_t *used, struct gw_error *err)
{
    parser->has_suspended = false;
    parser->framing_from = bytes;
    llhttp_errno_t code = llhttp_execute(&parser->machine, bytes, length);
    *used = code == HPE_OK ? length : (size_t)(llhttp_get_error_pos(&parser->machine) - bytes);
    if (code == HPE_USER || code == HPE_CB_CHUNK_HEADER)
        return err->code;
    if ((code == HPE_OK || code == HPE_PAUSED) && count_framing(parser, bytes + *used))
        return err->code;
    if (code == HPE_PAUSED) {
        parser->has_suspended = !parser->has_end;
        llhttp_resume(&parser->machine);
        return 0;
    }
    if (code != HPE_OK)
        return gw_error_set(err, GW_EINVAL, "bad_chunk", "%s", reason_of(parser));
    return 0;
}

static void end_request(struct gw_http1 *parser)
{
    parser->phase = GW_HTTP1_ENDED;
    parser->is_paused = true;
    parser->events->on_end(parser->user);
}

/* ---- public ---- */

void gw_http1_limits_default(struct gw_http1_limits *limits)
{
    *limits = (struct gw_http1_limits){
        .max_target_bytes = 8192, .max_header_bytes = 16384, .max_header_count = 64, .max_body_bytes = (size_t)256 * 1024};
}

struct gw_http1 *gw_http1_create(const struct gw_http1_limits *limits, const struct gw_http1_events *events, void *user)
{
    struct gw_http1 *parser = gw_try_alloc(sizeof *parser);
    if (!parser)
        return NULL;
    *parser = (struct gw_http1){.events = events, .user = user, .limits = *limits, .phase = GW_HTTP1_IDLE};
    gw_buffer_init(&parser->head, limits->max_target_bytes + limits->max_header_bytes + REQUEST_LINE_EXTRA_BYTES);
    return parser;
}

void gw_http1_destroy(struct gw_http1 *parser)
{
    if (!parser)
        return;
    gw_buffer_fini(&parser->head);
    gw_free(parser->headers);
    gw_free(parser);
}

static int step(struct gw_http1 *parser, const char *bytes, size_t length, size_t *used, struct gw_error *err)
{
    *used = 0;
    if (parser->phase == GW_HTTP1_BODY)
        return feed_body(parser, bytes, length, used, err);
    return feed_head(parser, bytes, length, used, err);
}

static int fail(struct gw_http1 *parser, const struct gw_error *err)
{
    parser->phase = GW_HTTP1_FAILED;
    parser->status = status_of(err->id);
    return err->code;
}

int gw_http1_feed(struct gw_http1 *parser, const char *bytes, size_t length, size_t *consumed, struct gw_error *err)
{
    *consumed = 0;
    if (length == 0)
        bytes = "";
    if (parser->phase == GW_HTTP1_FAILED)
        return gw_error_set(err, GW_ESTATE, "parser_failed", "The connection failed earlier and can only be closed");
    parser->err = err;
    while (!parser->is_paused) {
        size_t used;
        if (parser->phase == GW_HTTP1_BODY && parser->has_end) {
            end_request(parser);
            break;
        }
        if (*consumed == length && !parser->has_suspended)
            break;
        int rc = step(parser, bytes + *consumed, length - *consumed, &used, err);
        *consumed += used;
        if (rc)
            return fail(parser, err);
    }
    return 0;
}

int gw_http1_status(const struct gw_http1 *parser) { return parser->status; }

void gw_http1_pause(struct gw_http1 *parser) { parser->is_paused = true; }

static void begin_next(struct gw_http1 *parser)
{
    assert(parser->request.keep_alive);
    /* An idle connection keeps no more memory than a usual head needs. */
    if (parser->head.capacity > KEPT_HEAD_BYTES)
        gw_buffer_fini(&parser->head);
    gw_buffer_reset(&parser->head);
    parser->scan = (struct gw_http1_scan){.state = GW_SCAN_LINE_START};
    parser->has_head = parser->has_end = parser->is_value_open = false;
    parser->target_length = parser->header_count = 0;
    parser->body_bytes = parser->framing_bytes = 0;
    parser->phase = GW_HTTP1_IDLE;
}

void gw_http1_resume(struct gw_http1 *parser)
{
    parser->is_paused = false;
    if (parser->phase == GW_HTTP1_ENDED)
        begin_next(parser);
}

bool gw_http1_is_paused(const struct gw_http1 *parser) { return parser->is_paused; }

enum gw_http1_phase gw_http1_phase(const struct gw_http1 *parser) { return parser->phase; }

void gw_http1_set_max_body(struct gw_http1 *parser, size_t max_bytes, const char *limit_name)
{
    parser->max_body_bytes = max_bytes;
    parser->max_body_name = limit_name;
}
