/* POST /v1/logs: {ids, command_id?, lines: […]} as the command log.write. Without a command_id a post that is repeated is written twice. */
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "transport/exchange.h"
#include "transport/routes.h"
#include "transport/server_internal.h"
#include "transport/single.h"

#define ID_BYTES 16

static int no_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the log lines"); }

static int add_id(const struct gw_exchange *exchange, struct gw_json *body)
{
    const struct gw_clock *clock = exchange->server->opts.clock;
    uint8_t bytes[ID_BYTES];
    char id[GW_BASE64URL_LENGTH(ID_BYTES) + 1];
    if (gw_json_get(body, "command_id"))
        return GW_OK;
    clock->random(clock->self, bytes, sizeof bytes);
    size_t length = gw_base64url_encode(bytes, sizeof bytes, id);
    return gw_json_set(body, "command_id", gw_json_new_text(id, length));
}

static int make_command(const struct gw_exchange *exchange, struct gw_json *body, struct gw_error *err)
{
    static const char type[] = "log.write";
    struct gw_json *args = gw_json_new_object(), *lines = gw_json_get(body, "lines");
    if (gw_json_get(body, "type") || gw_json_get(body, "args")) {
        gw_json_unref(args);
        return gw_error_set(err, GW_EINVAL, "unknown_member", "the body holds the scope, lines and perhaps a command_id");
    }
    int status = args ? GW_OK : GW_ENOMEM;
    if (!status && lines)
        status = gw_json_set(args, "lines", gw_json_ref(lines));
    gw_json_remove(body, "lines");
    if (!status)
        status = gw_json_set(body, "type", gw_json_new_text(type, sizeof type - 1));
    if (!status)
        status = add_id(exchange, body);
    if (!status)
        status = gw_json_set(body, "args", gw_json_ref(args));
    gw_json_unref(args);
    return status ? no_memory(err) : GW_OK;
}

void gw_handle_logs(struct gw_exchange *exchange)
{
    struct gw_json *body = NULL;
    struct gw_error err;
    int status = gw_single_read(exchange, &body, &err);
    if (!status && !gw_json_is_object(body))
        status = gw_error_set(&err, GW_EINVAL, "bad_shape", "the body is a JSON object");
    if (!status)
        status = make_command(exchange, body, &err);
    if (status)
        gw_single_refuse(exchange, &err);
    else
        gw_single_submit(exchange, &(struct gw_single_opts){.command = body, .hidden_path = "/args"});
    gw_json_unref(body);
}
