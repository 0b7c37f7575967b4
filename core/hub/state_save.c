/* A checkpoint is rows in chunks. A chunk is a JSON object {part, canvas?, rows: […]}; parts come in the order of their enum, so that a
 * reader has what a row stands on (a canvas before its blocks, a parent before its children) when it reaches it. The first chunk's only row
 * is the head. */
#include <stdbool.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/chat.h"
#include "hub/origins.h"
#include "hub/removed.h"
#include "hub/state_graph.h"
#include "hub/state_internal.h"
#include "hub/tokens.h"

#define STATE_FORMAT 2

/* value: rows on their way into chunks */
struct chunker {
    struct gw_buffer text;
    size_t chunk_bytes;
    const char *part, *canvas; /* of the open chunk; part NULL = none is open */
    int (*emit)(void *arg, const char *bytes, size_t length);
    void *arg;
    int status;
};

static void close_chunk(struct chunker *c)
{
    if (!c->part || c->status)
        return;
    gw_buffer_append_text(&c->text, "]}");
    c->status = c->text.has_failed ? GW_ENOMEM : c->emit(c->arg, c->text.data, c->text.length);
    gw_buffer_reset(&c->text);
    c->part = NULL;
}

static void open_chunk(struct chunker *c, const char *part, const char *canvas)
{
    gw_buffer_append_text(&c->text, "{\"part\":\"");
    gw_buffer_append_text(&c->text, part);
    if (canvas) {
        gw_buffer_append_text(&c->text, "\",\"canvas\":\"");
        gw_buffer_append_text(&c->text, canvas);
    }
    gw_buffer_append_text(&c->text, "\",\"rows\":[\n");
    c->part = part;
    c->canvas = canvas;
}

/* Where the next row of `part` is to be appended. */
static struct gw_buffer *begin_row(struct chunker *c, const char *part, const char *canvas)
{
    bool is_same = c->part && strcmp(c->part, part) == 0 && c->canvas == canvas && c->text.length < c->chunk_bytes;
    if (!is_same) {
        close_chunk(c);
        open_chunk(c, part, canvas);
    } else {
        gw_buffer_append_text(&c->text, ",\n");
    }
    return &c->text;
}

static void save_head(struct chunker *c, const struct gw_state *state)
{
    struct gw_buffer *out = begin_row(c, "head", NULL);
    gw_buffer_append_text(out, "{\"format\":");
    gw_buffer_append_u64(out, STATE_FORMAT);
    gw_buffer_append_text(out, ",\"seq\":");
    gw_buffer_append_u64(out, state->seq);
    gw_buffer_append_text(out, ",\"catalog\":");
    gw_tokens_write_catalog(state->tokens, NULL, out);
    gw_buffer_append_text(out, ",\"tokens\":");
    gw_tokens_write_values(state->tokens, NULL, out);
    gw_buffer_append_char(out, '}');
}

static void save_origins(struct chunker *c, const struct gw_origins *origins)
{
    for (const struct gw_origin *origin = NULL; (origin = gw_origins_next(origins, origin));) {
        struct gw_buffer *out = begin_row(c, "origins", NULL);
        gw_buffer_append_char(out, '[');
        gw_buffer_append_json_string(out, gw_origin_name(origin), strlen(gw_origin_name(origin)));
        gw_buffer_append_char(out, ',');
        gw_buffer_append_i64(out, gw_origin_n(origin));
        gw_buffer_append_char(out, ']');
    }
}

static struct gw_buffer *begin_graph_row(void *arg, const char *part) { return begin_row(arg, part, NULL); }

static void save_canvas(struct chunker *c, const struct gw_canvas *canvas)
{
    struct gw_buffer *out = begin_row(c, "canvases", NULL);
    gw_buffer_append_text(out, "{\"id\":\"");
    gw_buffer_append_text(out, canvas->id);
    gw_buffer_append_text(out, "\",\"type\":\"");
    gw_buffer_append_text(out, canvas->type);
    gw_buffer_append_text(out, "\",\"hash\":\"");
    gw_buffer_append_text(out, canvas->manifest_hash);
    gw_buffer_append_text(out, "\",\"mounted\":");
    gw_buffer_append_u64(out, canvas->mounted_seq);
    gw_buffer_append_text(out, ",\"uncommitted\":");
    gw_buffer_append_u64(out, canvas->uncommitted);
    gw_buffer_append_text(out, ",\"manifest\":");
    gw_json_write_canonical(canvas->manifest, out);
    gw_buffer_append_char(out, '}');
}

static void save_pair(struct gw_buffer *out, uint64_t first, uint64_t second)
{
    gw_buffer_append_char(out, '[');
    gw_buffer_append_u64(out, first);
    gw_buffer_append_char(out, ',');
    gw_buffer_append_u64(out, second);
    gw_buffer_append_char(out, ']');
}

static void save_revisions(struct chunker *c, const struct gw_canvas *canvas)
{
    for (size_t i = 0; i < canvas->revision_count; i++)
        save_pair(begin_row(c, "revisions", canvas->id), canvas->revisions[i].seq, canvas->revisions[i].to_seq);
}

static void save_blocks(struct chunker *c, const struct gw_canvas *canvas, uint64_t seq)
{
    for (struct gw_block *block = NULL; (block = gw_blocks_next(canvas->blocks, NULL, block));)
        gw_blocks_write_block(canvas->blocks, block, seq, begin_row(c, "blocks", canvas->id));
}

static void save_removed(struct chunker *c, const struct gw_canvas *canvas, uint64_t head_seq)
{
    const void *cursor = NULL;
    const struct gw_removed_block *removed;
    while ((removed = gw_blocks_next_removed(canvas->blocks, head_seq, &cursor))) {
        const char *texts[] = {removed->kind, removed->author, removed->by, removed->vis};
        struct gw_buffer *out = begin_row(c, "removed", canvas->id);
        gw_buffer_append_text(out, "[\"");
        gw_buffer_append_text(out, removed->id);
        gw_buffer_append_text(out, "\",");
        gw_buffer_append_u64(out, removed->seq);
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
            gw_buffer_append_char(out, ',');
            gw_buffer_append_json_string(out, texts[i], strlen(texts[i]));
        }
        gw_buffer_append_char(out, ']');
    }
}

static void save_chat(struct chunker *c, const struct gw_chat *chat)
{
    const void *cursor = NULL;
    struct gw_chat_gone gone;
    for (const struct gw_chat_message *message = NULL; (message = gw_chat_next(chat, message));)
        gw_chat_write_row(message, begin_row(c, "messages", NULL));
    while (gw_chat_next_gone(chat, &cursor, &gone)) {
        struct gw_buffer *out = begin_row(c, "gone_messages", NULL);
        gw_buffer_append_text(out, "[\"");
        gw_buffer_append_text(out, gone.id);
        gw_buffer_append_text(out, "\",\"");
        gw_buffer_append_text(out, gw_chat_end_name(gone.end));
        gw_buffer_append_text(out, gone.is_labelled ? "\",true]" : "\"]");
    }
}

int gw_state_save(const struct gw_state *state, size_t chunk_bytes, int (*emit)(void *arg, const char *bytes, size_t length), void *arg,
                  struct gw_error *err)
{
    struct chunker c = {.chunk_bytes = chunk_bytes, .emit = emit, .arg = arg};
    gw_buffer_init(&c.text, 0);
    save_head(&c, state);
    close_chunk(&c);
    save_origins(&c, state->origins);
    if (gw_graph_save(state->graph, begin_graph_row, &c))
        c.status = GW_ENOMEM;
    for (size_t i = 0; i < state->canvas_count; i++)
        save_canvas(&c, state->canvases[i]);
    for (size_t i = 0; i < state->canvas_count; i++) {
        save_revisions(&c, state->canvases[i]);
        save_blocks(&c, state->canvases[i], state->seq);
        save_removed(&c, state->canvases[i], state->seq);
    }
    save_chat(&c, state->chat);
    close_chunk(&c);
    gw_buffer_fini(&c.text);
    if (c.status == GW_ENOMEM)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a checkpoint");
    return c.status ? gw_error_set(err, c.status, "checkpoint_failed", "a chunk of the checkpoint was not taken") : GW_OK;
}
