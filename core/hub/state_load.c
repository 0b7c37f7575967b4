#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/chat.h"
#include "hub/origins.h"
#include "hub/removed.h"
#include "hub/state_graph.h"
#include "hub/state_internal.h"
#include "hub/tokens.h"

#define STATE_FORMAT 2

/* A chunk holds what this program wrote; these bounds only keep damage from becoming a flood. */
static const struct gw_json_limits chunk_limits = {.max_bytes = 256u << 20, .max_depth = 64, .max_nodes = 64u << 20};

/* value: one chunk being read */
struct loading {
    struct gw_state *state;
    struct gw_canvas *canvas; /* NULL: the chunk names none */
    struct gw_error *err;
};

static int damaged(const struct loading *l, const char *what)
{
    return gw_error_set(l->err, GW_EINVAL, "bad_checkpoint", "a stored checkpoint is not readable: %s", what);
}

static int judge(const struct loading *l, int status, const char *what)
{
    if (status == GW_ENOMEM)
        return gw_error_set(l->err, GW_ENOMEM, "out_of_memory", "no memory to read a checkpoint");
    return status ? damaged(l, what) : GW_OK;
}

static bool read_seq(const struct gw_json *value, uint64_t *out)
{
    if (!gw_json_is_int(value) || gw_json_int(value) < 0)
        return false;
    *out = (uint64_t)gw_json_int(value);
    return true;
}

static int load_tokens(struct gw_tokens *tokens, const struct gw_json *members,
                       int (*take)(struct gw_tokens *, const char *, struct gw_json *))
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    int status = gw_json_is_object(members) ? GW_OK : GW_EINVAL;
    while (!status && gw_json_next(members, &iterator, &key, &value))
        status = take(tokens, key, value);
    return status;
}

static int load_head(const struct loading *l, const struct gw_json *row)
{
    uint64_t format;
    if (!gw_json_is_object(row) || !read_seq(gw_json_get(row, "format"), &format) || format != STATE_FORMAT ||
        !read_seq(gw_json_get(row, "seq"), &l->state->seq))
        return damaged(l, "its head is of another format");
    int status = load_tokens(l->state->tokens, gw_json_get(row, "catalog"), gw_tokens_declare);
    if (!status)
        status = load_tokens(l->state->tokens, gw_json_get(row, "tokens"), gw_tokens_put);
    return judge(l, status, "its Tokens");
}

static int load_origin(const struct loading *l, const struct gw_json *row)
{
    const struct gw_json *name = gw_json_at(row, 0), *n = gw_json_at(row, 1);
    if (!gw_json_is_string(name) || !gw_json_is_int(n))
        return damaged(l, "an origin");
    return judge(l, gw_origins_note(l->state->origins, gw_json_text(name, NULL), gw_json_int(n)), "an origin");
}

static int load_graph(const struct loading *l, const struct gw_json *row)
{
    return judge(l, gw_graph_load(l->state->graph, row), "its graph");
}

static int load_canvas(const struct loading *l, const struct gw_json *row)
{
    const char *id = gw_state_text_member(row, "id"), *type = gw_state_text_member(row, "type"), *hash = gw_state_text_member(row, "hash");
    if (!id || !type || !hash || !gw_id_is_valid(id, strlen(id)) || !gw_id_is_valid(type, strlen(type)) ||
        strlen(hash) != 2 * GW_SHA256_BYTES || !gw_json_is_object(gw_json_get(row, "manifest")) || gw_state_canvas(l->state, id) ||
        l->state->canvas_count == l->state->limits.max_canvases)
        return damaged(l, "a canvas");
    struct gw_canvas *canvas = gw_canvas_create(l->state, id);
    if (!canvas)
        return judge(l, GW_ENOMEM, "");
    memcpy(canvas->type, type, strlen(type) + 1);
    bool is_good =
        read_seq(gw_json_get(row, "mounted"), &canvas->mounted_seq) && read_seq(gw_json_get(row, "uncommitted"), &canvas->uncommitted);
    int status = is_good ? gw_state_mount(l->state, canvas) : GW_EINVAL;
    if (status) {
        gw_state_bury(l->state, canvas);
        return judge(l, status, "a canvas");
    }
    return judge(l, gw_state_set_manifest(l->state, canvas, gw_json_get(row, "manifest"), hash), "a canvas");
}

static int load_revision(const struct loading *l, const struct gw_json *row)
{
    struct gw_revision revision;
    if (!l->canvas || !read_seq(gw_json_at(row, 0), &revision.seq) || !read_seq(gw_json_at(row, 1), &revision.to_seq))
        return damaged(l, "a revision");
    return judge(l, gw_state_add_revision(l->state, l->canvas, &revision), "a revision");
}

static int load_block(const struct loading *l, const struct gw_json *row)
{
    return l->canvas ? gw_blocks_load_block(l->canvas->blocks, row, l->err) : damaged(l, "a block without canvas");
}

static int load_removed(const struct loading *l, const struct gw_json *row)
{
    struct gw_removed_block removed;
    const char **texts[] = {&removed.kind, &removed.author, &removed.by, &removed.vis};
    const struct gw_json *id = gw_json_at(row, 0);
    bool is_good = l->canvas && gw_json_is_string(id) && read_seq(gw_json_at(row, 1), &removed.seq);
    for (size_t i = 0; is_good && i < sizeof texts / sizeof texts[0]; i++) {
        const struct gw_json *text = gw_json_at(row, i + 2);
        is_good = gw_json_is_string(text);
        *texts[i] = is_good ? gw_json_text(text, NULL) : NULL;
    }
    if (!is_good)
        return damaged(l, "a removed block");
    removed.id = gw_json_text(id, NULL);
    return gw_blocks_load_removed(l->canvas->blocks, &removed, l->err);
}

static int load_message(const struct loading *l, const struct gw_json *row)
{
    return judge(l, gw_chat_load_row(l->state->chat, row), "a message");
}

static int load_gone_message(const struct loading *l, const struct gw_json *row)
{
    const struct gw_json *id = gw_json_at(row, 0), *word = gw_json_at(row, 1);
    struct gw_chat_gone gone = {.is_labelled = gw_json_count(row) > 2};
    if (!gw_json_is_string(id) || !gw_json_is_string(word) || strlen(gw_json_text(id, NULL)) > GW_ID_MAX ||
        gw_chat_end_parse(gw_json_text(word, NULL), &gone.end))
        return damaged(l, "a forgotten message");
    gone.id = gw_json_text(id, NULL);
    return judge(l, gw_chat_load_gone(l->state->chat, &gone), "a forgotten message");
}

static int load_rows(struct loading *l, const struct gw_json *chunk)
{
    static const struct {
        const char *part;
        int (*load)(const struct loading *l, const struct gw_json *row);
        bool is_object;
    } parts[] = {{"head", load_head, true},        {"origins", load_origin, false},     {"graph", load_graph, true},
                 {"canvases", load_canvas, true},  {"revisions", load_revision, false}, {"blocks", load_block, true},
                 {"removed", load_removed, false}, {"messages", load_message, true},    {"gone_messages", load_gone_message, false}};
    const char *part = gw_state_text_member(chunk, "part"), *canvas = gw_state_text_member(chunk, "canvas");
    const struct gw_json *rows = part ? gw_json_get(chunk, "rows") : NULL;
    size_t kind = 0, kinds = sizeof parts / sizeof parts[0];
    while (part && kind < kinds && strcmp(part, parts[kind].part) != 0)
        kind++;
    if (!part || kind == kinds || !gw_json_is_array(rows))
        return damaged(l, "a chunk of an unknown part");
    if (l->state->seq == 0 && kind != 0)
        return damaged(l, "it does not begin with its head");
    l->canvas = canvas ? gw_state_canvas(l->state, canvas) : NULL;
    for (size_t i = 0; i < gw_json_count(rows); i++) {
        const struct gw_json *row = gw_json_at(rows, i);
        bool fits = parts[kind].is_object ? gw_json_is_object(row) : gw_json_is_array(row);
        int status = fits ? parts[kind].load(l, row) : damaged(l, "a row of another shape");
        if (status)
            return status;
    }
    return GW_OK;
}

int gw_state_load(struct gw_state *empty, const char *const *chunks, const size_t *lengths, size_t count, struct gw_error *err)
{
    struct loading l = {.state = empty, .err = err};
    if (count == 0)
        return damaged(&l, "it is empty");
    for (size_t i = 0; i < count; i++) {
        struct gw_json *chunk;
        int status = gw_json_parse(chunks[i], lengths[i], &chunk_limits, &chunk, err);
        if (status)
            return status == GW_ENOMEM ? status : damaged(&l, "a chunk is not JSON");
        status = load_rows(&l, chunk);
        gw_json_unref(chunk);
        if (status)
            return status;
    }
    return GW_OK;
}
