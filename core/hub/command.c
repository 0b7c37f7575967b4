#include "hub/command.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/pointer.h"

/* Members that hold an id, and where it goes. */
static const struct {
    const char *name;
    size_t offset;
    bool is_required;
} id_members[] = {
    {"tenant_id", offsetof(struct gw_command, scope.tenant_id), true},
    {"mode", offsetof(struct gw_command, scope.mode), true},
    {"project_id", offsetof(struct gw_command, scope.project_id), true},
    {"surface_id", offsetof(struct gw_command, scope.surface_id), true},
    {"app_id", offsetof(struct gw_command, scope.app_id), true},
    {"run_id", offsetof(struct gw_command, scope.run_id), true},
    {"command_id", offsetof(struct gw_command, command_id), true},
    {"type", offsetof(struct gw_command, type), true},
    {"canvas_id", offsetof(struct gw_command, canvas_id), false},
    {"origin", offsetof(struct gw_command, origin), false},
};
#define ID_MEMBER_COUNT (sizeof id_members / sizeof id_members[0])

static int refuse(struct gw_error *err, const char *id, const char *member, const char *why)
{
    gw_error_set(err, GW_EINVAL, id, "%s %s", member, why);
    gw_pointer_prefix(err, member);
    return GW_EINVAL;
}

static int read_id(const struct gw_json *body, size_t member, struct gw_command *out, struct gw_error *err)
{
    const char *name = id_members[member].name;
    const struct gw_json *value = gw_json_get(body, name);
    if (!value)
        return id_members[member].is_required ? refuse(err, "missing_id", name, "is required") : GW_OK;
    size_t length = 0;
    const char *text = gw_json_is_string(value) ? gw_json_text(value, &length) : "";
    if (!gw_id_is_valid(text, length))
        return refuse(err, "bad_id", name, "must be an id: a letter, digit, _ or -, then up to 63 of those or dots");
    memcpy((char *)out + id_members[member].offset, text, length + 1);
    return GW_OK;
}

static bool is_known(const char *name)
{
    static const char *const others[] = {"base", "n", "args", "if"};
    for (size_t i = 0; i < ID_MEMBER_COUNT; i++)
        if (strcmp(name, id_members[i].name) == 0)
            return true;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(name, others[i]) == 0)
            return true;
    return false;
}

static int refuse_unknown(const struct gw_json *body, struct gw_error *err)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (gw_json_next(body, &iterator, &key, &value))
        if (!is_known(key))
            return refuse(err, "unknown_member", key, "is no member of a command");
    return GW_OK;
}

static int read_base(const struct gw_json *body, struct gw_command *out, struct gw_error *err)
{
    const struct gw_json *base = gw_json_get(body, "base");
    if (!base)
        return GW_OK;
    size_t length = 0;
    const char *text = gw_json_is_string(base) ? gw_json_text(base, &length) : "";
    if (length == 0 || strlen(text) != length)
        return refuse(err, "bad_shape", "base", "must be a cursor");
    out->has_base = true;
    out->base_cursor = text;
    return GW_OK;
}

static int read_n(const struct gw_json *body, struct gw_command *out, struct gw_error *err)
{
    const struct gw_json *n = gw_json_get(body, "n");
    if (n && !gw_json_is_int(n))
        return refuse(err, "bad_shape", "n", "must be an integer");
    if (n && gw_json_int(n) < 1)
        return refuse(err, "out_of_range", "n", "counts from 1");
    if (n && !out->origin[0])
        return refuse(err, "missing_member", "origin", "is required beside n");
    if (!n && out->origin[0])
        return refuse(err, "missing_member", "n", "is required beside origin");
    out->has_n = n != NULL;
    out->n = n ? gw_json_int(n) : 0;
    return GW_OK;
}

static int read_objects(const struct gw_json *body, struct gw_command *out, struct gw_error *err)
{
    struct gw_json *args = gw_json_get(body, "args");
    out->condition = gw_json_get(body, "if");
    if (args && !gw_json_is_object(args))
        return refuse(err, "bad_shape", "args", "must be an object");
    if (out->condition && !gw_json_is_object(out->condition))
        return refuse(err, "bad_shape", "if", "must be an object of paths and expected values");
    out->args = args ? gw_json_ref(args) : gw_json_new_object();
    return out->args ? GW_OK : gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the command");
}

static int digest_body(const struct gw_json *body, struct gw_command *out, struct gw_error *err)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_json_write_canonical(body, &text);
    bool has_failed = text.has_failed;
    if (!has_failed)
        gw_sha256(text.data, text.length, out->digest);
    gw_buffer_fini(&text);
    return has_failed ? gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the command's digest") : GW_OK;
}

static int read_members(const struct gw_json *body, struct gw_command *out, struct gw_error *err)
{
    int status = GW_OK;
    for (size_t i = 0; i < ID_MEMBER_COUNT && !status; i++)
        status = read_id(body, i, out, err);
    if (!status)
        status = refuse_unknown(body, err);
    if (!status)
        status = read_base(body, out, err);
    if (!status)
        status = read_n(body, out, err);
    if (!status)
        status = digest_body(body, out, err);
    return status ? status : read_objects(body, out, err);
}

int gw_command_parse(struct gw_json *body, struct gw_command *out, struct gw_error *err)
{
    memset(out, 0, sizeof *out);
    if (!gw_json_is_object(body))
        return gw_error_set(err, GW_EINVAL, "bad_shape", "a command is a JSON object");
    int status = read_members(body, out, err);
    if (status)
        memset(out, 0, sizeof *out);
    else
        out->body = gw_json_ref(body);
    return status;
}

void gw_command_fini(struct gw_command *command)
{
    gw_json_unref(command->args);
    gw_json_unref(command->body);
    gw_json_unref(command->flow);
    memset(command, 0, sizeof *command);
}
