/* GET /v1/context: the run as its ContextLens picks it for an agent, within a budget. The state comes from the run's owner, as for GET /v1/state. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/hub.h"
#include "transport/context_view.h"
#include "transport/exchange.h"
#include "transport/routes.h"
#include "transport/server_internal.h"

#define DEFAULT_BYTES (32u << 10)

struct asking {
    struct gw_read read; /* first */
    struct gw_exchange *exchange;
    uint32_t max_bytes;
    const char *focus; /* borrowed from the exchange */
};

static void asking_destroy(struct asking *asking)
{
    gw_read_fini(&asking->read);
    gw_free(asking);
}

/* ---- the answer ------------------------------------------------------------------------------------------------------------------------- */

/* The longest beginning that fits: *used gets its bytes. */
static size_t write_items(const struct gw_json *items, uint32_t max_bytes, struct gw_buffer *out, size_t *used)
{
    size_t start = out->length, count = 0;
    for (; count < gw_json_count(items); count++) {
        size_t before = out->length;
        if (count)
            gw_buffer_append_char(out, ',');
        gw_json_write_canonical(gw_json_at(items, count), out);
        if (out->has_failed || out->length - start <= max_bytes)
            continue;
        gw_buffer_truncate(out, before);
        break;
    }
    *used = out->length - start;
    return count;
}

static void answer(struct asking *asking, const struct gw_json *view, const struct gw_json *items)
{
    struct gw_buffer body;
    struct gw_error err;
    size_t used, count;
    gw_buffer_init(&body, 0);
    gw_buffer_append_text(&body, "{\"cursor\":");
    gw_json_write_canonical(gw_json_get(view, "cursor"), &body);
    gw_buffer_append_text(&body, ",\"items\":[");
    count = write_items(items, asking->max_bytes, &body, &used);
    gw_buffer_append_text(&body, "],\"left_out\":");
    gw_json_write_canonical(gw_json_get(view, "left_out"), &body);
    gw_buffer_appendf(&body, ",\"max_bytes\":%u,\"omitted\":%zu,\"used_bytes\":%zu}", (unsigned)asking->max_bytes,
                      gw_json_count(items) - count, used);
    if (body.has_failed) {
        gw_error_set(&err, GW_ENOMEM, "out_of_memory", "no memory for the answer");
        gw_exchange_refuse(asking->exchange, &err);
    } else {
        gw_exchange_reply(asking->exchange, 200, "application/json", body.data, body.length);
    }
    gw_buffer_fini(&body);
}

static int pick(const struct asking *asking, struct gw_json *view, struct gw_json **items, struct gw_error *err)
{
    const struct gw_policy *policy = asking->exchange->server->opts.policy;
    struct gw_policy_subject subject = gw_server_subject(asking->exchange->identity, &asking->read.scope);
    struct gw_context_request request = {.subject = &subject, .max_bytes = asking->max_bytes, .focus = asking->focus, .view = view};
    return policy->context(policy->self, &request, items, err);
}

static void on_done(struct gw_read *read)
{
    struct asking *asking = (struct asking *)(void *)read;
    struct gw_json *view = NULL, *items = NULL;
    struct gw_error err = read->err;
    int status = read->status;
    if (!status)
        status = gw_exchange_check_lens(asking->exchange, &read->scope, read->plan, &err);
    if (!status)
        status = gw_context_view(read->body, read->body_length, asking->focus, &view, &err);
    if (!status)
        status = pick(asking, view, &items, &err);
    if (status)
        gw_exchange_refuse(asking->exchange, &err);
    else
        answer(asking, view, items);
    gw_json_unref(view);
    gw_json_unref(items);
    asking_destroy(asking);
}

/* ---- the question ----------------------------------------------------------------------------------------------------------------------- */

static int read_budget(const struct gw_exchange *exchange, uint32_t *max_bytes, struct gw_error *err)
{
    const char *text = gw_exchange_param(exchange, "max_bytes");
    *max_bytes = DEFAULT_BYTES;
    if (!text)
        return GW_OK;
    size_t digits = strspn(text, "0123456789");
    unsigned long number = digits > 0 && digits < 9 && !text[digits] ? strtoul(text, NULL, 10) : 0;
    if (number < 1 || number > GW_CONTEXT_MAX_BYTES) {
        gw_error_limit(err, "bad_parameter", "max_context_bytes", GW_CONTEXT_MAX_BYTES, "max_bytes is a number from 1 to %u",
                       GW_CONTEXT_MAX_BYTES);
        gw_error_prefix(err, "max_bytes");
        err->code = GW_EINVAL;
        return GW_EINVAL;
    }
    *max_bytes = (uint32_t)number;
    return GW_OK;
}

static int read_focus(struct asking *asking, struct gw_error *err)
{
    asking->focus = gw_exchange_param(asking->exchange, "focus");
    if (!asking->focus || gw_id_is_valid(asking->focus, strlen(asking->focus)))
        return GW_OK;
    gw_error_set(err, GW_EINVAL, "bad_id", "focus is no id");
    gw_error_prefix(err, "focus");
    return GW_EINVAL;
}

static int read_request(struct asking *asking, struct gw_error *err)
{
    struct gw_exchange *exchange = asking->exchange;
    struct gw_read *read = &asking->read;
    int status = gw_exchange_scope(exchange, true, &read->scope, err);
    if (!status)
        status = gw_exchange_admit(exchange, &read->scope, err);
    if (!status)
        status = gw_exchange_canvases(exchange, &read->set, err);
    if (!status)
        status = read_budget(exchange, &asking->max_bytes, err);
    if (!status)
        status = read_focus(asking, err);
    return status ? status : gw_exchange_plan(exchange, &read->scope, &read->plan, err);
}

void gw_handle_context(struct gw_exchange *exchange)
{
    struct gw_server *server = exchange->server;
    struct asking *asking = gw_alloc(sizeof *asking);
    struct gw_error err;
    asking->exchange = exchange;
    asking->read.kind = GW_READ_STATE;
    if (read_request(asking, &err)) {
        gw_exchange_refuse(exchange, &err);
        asking_destroy(asking);
        return;
    }
    asking->read.home = &server->opts.executors[server->opts.worker];
    asking->read.done = on_done;
    gw_hub_read(server->opts.hub, &asking->read);
}
