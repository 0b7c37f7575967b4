/* POST /v1/chat: a chat_send without its type. POST /v1/chat/{message_id}/tokens: what a streamed message goes on with, as one short post or, as NDJSON, while it
 * arrives (upload.h). */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "transport/exchange.h"
#include "transport/routes.h"
#include "transport/single.h"
#include "transport/upload.h"

static int no_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the command"); }

static int set_text(struct gw_json *object, const char *name, const char *text, struct gw_error *err)
{
    return gw_json_set(object, name, gw_json_new_text(text, strlen(text))) ? no_memory(err) : GW_OK;
}

static int not_an_object(struct gw_error *err) { return gw_error_set(err, GW_EINVAL, "bad_shape", "the body is a JSON object"); }

/* What the resource itself says the body must not. */
static int refuse_member(const struct gw_json *body, const char *name, struct gw_error *err)
{
    if (!gw_json_get(body, name))
        return GW_OK;
    gw_error_set(err, GW_EINVAL, "unknown_member", "%s is no member of this body", name);
    gw_error_prefix(err, name);
    gw_error_prefix(err, "/");
    return err->code;
}

void gw_handle_chat(struct gw_exchange *exchange)
{
    struct gw_json *body = NULL;
    struct gw_error err;
    int status = gw_single_read(exchange, &body, &err);
    if (!status && !gw_json_is_object(body))
        status = not_an_object(&err);
    if (!status)
        status = refuse_member(body, "type", &err);
    if (!status)
        status = set_text(body, "type", "chat_send", &err);
    if (status)
        gw_single_refuse(exchange, &err);
    else
        gw_single_submit(exchange, &(struct gw_single_opts){.command = body});
    gw_json_unref(body);
}

/* {ids, offset?, text?, end?} as the command chat.append; its command_id only fills its place. */
static int make_append(const struct gw_exchange *exchange, struct gw_json *body, struct gw_error *err)
{
    static const char *const names[] = {"offset", "text", "end"};
    struct gw_json *args = gw_json_new_object();
    int status = args ? GW_OK : no_memory(err);
    for (size_t i = 0; !status && i < sizeof names / sizeof names[0]; i++) {
        struct gw_json *value = gw_json_get(body, names[i]);
        if (value && gw_json_set(args, names[i], gw_json_ref(value)))
            status = no_memory(err);
        gw_json_remove(body, names[i]);
    }
    if (!status)
        status = set_text(args, "message_id", exchange->path_id, err);
    if (!status)
        status = set_text(body, "type", "chat.append", err);
    if (!status)
        status = set_text(body, "command_id", "append", err);
    if (!status && gw_json_set(body, "args", gw_json_ref(args)))
        status = no_memory(err);
    gw_json_unref(args);
    return status;
}

static int read_append(const struct gw_exchange *exchange, struct gw_json **body, struct gw_error *err)
{
    static const char *const foreign[] = {"type", "command_id", "args", "if", "base", "origin", "n"};
    int status = gw_single_read(exchange, body, err);
    if (status)
        return status;
    if (!gw_json_is_object(*body))
        return not_an_object(err);
    for (size_t i = 0; !status && i < sizeof foreign / sizeof foreign[0]; i++)
        status = refuse_member(*body, foreign[i], err);
    return status ? status : make_append(exchange, *body, err);
}

void gw_handle_chat_tokens(struct gw_exchange *exchange)
{
    struct gw_json *body = NULL;
    struct gw_error err;
    if (exchange->is_streamed) {
        gw_upload_start(exchange);
        return;
    }
    if (read_append(exchange, &body, &err))
        gw_single_refuse(exchange, &err);
    else
        gw_single_submit(exchange, &(struct gw_single_opts){.command = body, .is_append = true, .hidden_path = "/args"});
    gw_json_unref(body);
}
