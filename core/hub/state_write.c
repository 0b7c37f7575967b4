#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/chat.h"
#include "hub/ports.h"
#include "hub/project.h"
#include "hub/state_graph.h"
#include "hub/state_internal.h"
#include "hub/tokens.h"

static void write_name(struct gw_buffer *out, const char *name)
{
    gw_buffer_append_json_string(out, name, strlen(name));
    gw_buffer_append_char(out, ':');
}

static void write_text_member(struct gw_buffer *out, const char *before, const char *text)
{
    gw_buffer_append_text(out, before);
    gw_buffer_append_json_string(out, text, strlen(text));
}

static void write_parent(const struct gw_sight *sight, const struct gw_block *parent, struct gw_buffer *out)
{
    if (parent && sight->lens && !gw_canvas_shows(sight->canvas, sight->lens->plan, parent))
        gw_buffer_append_text(out, ",\"orphan\":true,\"parent\":null");
    else if (parent)
        write_text_member(out, ",\"parent\":", gw_block_id(parent));
    else
        gw_buffer_append_text(out, ",\"parent\":null");
}

static void write_whole(const struct gw_block *block, struct gw_buffer *scratch, struct gw_buffer *out)
{
    gw_json_write_canonical(gw_block_props(block), out);
    gw_buffer_append_text(out, ",\"text\":");
    gw_buffer_reset(scratch);
    gw_text_write(gw_block_text(block), scratch);
    gw_buffer_append_json_string(out, scratch->data ? scratch->data : "", scratch->length);
    if (scratch->has_failed)
        out->has_failed = true; /* a cut text must not pass for a whole one */
}

static void write_seen(const struct gw_sight *sight, const struct gw_block *block, struct gw_buffer *scratch, struct gw_buffer *out)
{
    struct gw_plan_thing thing = gw_canvas_thing(sight->canvas, block);
    struct gw_seen_block seen = {0};
    gw_buffer_reset(scratch);
    gw_text_write(gw_block_text(block), scratch);
    struct gw_seen_block given = {gw_block_props(block),
                                  scratch->has_failed ? NULL : gw_json_new_text(scratch->data ? scratch->data : "", scratch->length)};
    if (!given.text || gw_lens_block(sight->lens, gw_block_id(block), &thing, &given, &seen)) {
        out->has_failed = true;
    } else {
        gw_json_write_canonical(seen.props, out);
        gw_buffer_append_text(out, ",\"text\":");
        gw_json_write_canonical(seen.text, out);
    }
    gw_json_unref(given.text);
    gw_seen_block_fini(&seen);
}

void gw_state_write_block(const struct gw_sight *sight, const struct gw_block *block, struct gw_buffer *scratch, struct gw_buffer *out)
{
    write_text_member(out, "{\"kind\":", gw_block_kind(block));
    write_parent(sight, gw_block_parent(block), out);
    write_text_member(out, ",\"pos\":", gw_block_label(block));
    gw_buffer_append_text(out, ",\"props\":");
    if (gw_lens_is_clear(sight->lens))
        write_whole(block, scratch, out);
    else
        write_seen(sight, block, scratch, out);
    if (gw_block_vis(block)[0])
        write_text_member(out, ",\"vis\":", gw_block_vis(block));
    gw_buffer_append_char(out, '}');
}

static int compare_blocks(const void *a, const void *b)
{
    return strcmp(gw_block_id(*(const struct gw_block *const *)a), gw_block_id(*(const struct gw_block *const *)b));
}

/* The blocks that the lens shows, by id; NULL when memory is gone. */
static const struct gw_block **sort_blocks(const struct gw_sight *sight, size_t *count)
{
    const struct gw_blocks *blocks = sight->canvas->blocks;
    const struct gw_block **sorted = gw_try_grow(NULL, gw_blocks_count(blocks) + 1, sizeof(const struct gw_block *));
    *count = 0;
    if (!sorted)
        return NULL;
    for (const struct gw_block *block = NULL; (block = gw_blocks_next(blocks, NULL, block));)
        if (gw_lens_is_clear(sight->lens) || gw_canvas_shows(sight->canvas, sight->lens->plan, block))
            sorted[(*count)++] = block;
    qsort(sorted, *count, sizeof *sorted, compare_blocks);
    return sorted;
}

static void write_blocks(const struct gw_canvas *canvas, const struct gw_lens *lens, struct gw_buffer *out)
{
    struct gw_sight sight = {canvas, lens};
    struct gw_buffer scratch;
    size_t count;
    const struct gw_block **sorted = sort_blocks(&sight, &count);
    if (!sorted)
        out->has_failed = true;
    gw_buffer_init(&scratch, 0);
    gw_buffer_append_char(out, '{');
    for (size_t i = 0; sorted && i < count; i++) {
        if (i)
            gw_buffer_append_char(out, ',');
        write_name(out, gw_block_id(sorted[i]));
        gw_state_write_block(&sight, sorted[i], &scratch, out);
    }
    gw_buffer_append_char(out, '}');
    gw_buffer_fini(&scratch);
    gw_free(sorted);
}

static bool is_asked(const char *id, const char *const *canvas_ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(id, canvas_ids[i]) == 0)
            return true;
    return count == 0;
}

static int compare_canvases(const void *a, const void *b)
{
    return strcmp((*(const struct gw_canvas *const *)a)->id, (*(const struct gw_canvas *const *)b)->id);
}

static void write_canvases(const struct gw_state *state, const struct gw_lens *lens, const char *const *canvas_ids, size_t count,
                           struct gw_buffer *out)
{
    const struct gw_canvas **sorted = gw_try_grow(NULL, state->canvas_count + 1, sizeof(const struct gw_canvas *));
    size_t asked = 0;
    if (!sorted)
        out->has_failed = true;
    for (size_t i = 0; sorted && i < state->canvas_count; i++)
        if (is_asked(state->canvases[i]->id, canvas_ids, count))
            sorted[asked++] = state->canvases[i];
    if (sorted)
        qsort(sorted, asked, sizeof *sorted, compare_canvases);
    gw_buffer_append_char(out, '{');
    for (size_t i = 0; i < asked; i++) {
        if (i)
            gw_buffer_append_char(out, ',');
        write_name(out, sorted[i]->id);
        gw_buffer_append_text(out, "{\"blocks\":");
        write_blocks(sorted[i], lens, out);
        write_text_member(out, ",\"type\":", sorted[i]->type);
        gw_buffer_append_char(out, '}');
    }
    gw_buffer_append_char(out, '}');
    gw_free(sorted);
}

void gw_state_write(const struct gw_state *state, const struct gw_lens *lens, const char *const *canvas_ids, size_t count,
                    struct gw_buffer *out)
{
    gw_buffer_append_text(out, "\"canvases\":");
    write_canvases(state, lens, canvas_ids, count, out);
    gw_buffer_append_text(out, ",\"chat\":");
    gw_chat_write(state->chat, lens, out);
    gw_buffer_append_text(out, ",\"graph\":");
    gw_graph_write(state->graph, lens, out);
    gw_buffer_append_text(out, ",\"tokens\":");
    gw_tokens_write_values(state->tokens, lens, out);
}

int gw_state_write_run(const struct gw_state *state, const struct gw_lens *lens, void (*emit)(void *arg, const struct gw_told_frame *frame),
                       void *arg)
{
    int status = gw_graph_write_frames(state->graph, lens, emit, arg);
    return status ? status : gw_chat_write_frames(state->chat, lens, emit, arg);
}

int gw_state_write_tokens(const struct gw_state *state, const struct gw_lens *lens,
                          void (*emit)(void *arg, const struct gw_told_frame *frame), void *arg)
{
    struct gw_buffer values, data;
    gw_buffer_init(&values, 0);
    gw_buffer_init(&data, 0);
    gw_tokens_write_values(state->tokens, lens, &values);
    bool has_any = values.length > 2; /* more than {} */
    if (has_any) {
        gw_buffer_append_text(&data, "{\"set\":");
        gw_buffer_append(&data, values.data, values.length);
        gw_buffer_append_text(&data, ",\"unset\":[]}");
    }
    int status = values.has_failed || data.has_failed ? GW_ENOMEM : GW_OK;
    if (!status && has_any)
        emit(arg, &(struct gw_told_frame){.type = gw_event_type_name(GW_EVENT_TOKEN_PATCH), .data = data.data, .data_length = data.length});
    gw_buffer_fini(&values);
    gw_buffer_fini(&data);
    return status;
}

static void write_manifest(const struct gw_canvas *canvas, const struct gw_lens *lens, struct gw_buffer *out)
{
    struct gw_json *manifest = gw_project_manifest(canvas->manifest, canvas->type, lens->plan);
    if (manifest)
        gw_json_write_canonical(manifest, out);
    else
        out->has_failed = true;
    gw_json_unref(manifest);
}

void gw_state_write_canvas(const struct gw_state *state, const struct gw_lens *lens, const char *canvas_id, struct gw_buffer *out)
{
    const struct gw_canvas *canvas = gw_state_canvas(state, canvas_id);
    if (!canvas)
        return;
    gw_buffer_append_text(out, "{\"TokenCatalog\":");
    gw_tokens_write_catalog(state->tokens, lens, out);
    write_text_member(out, ",\"canvas_type\":", canvas->type);
    gw_buffer_append_text(out, ",\"manifest\":");
    write_manifest(canvas, lens, out);
    gw_buffer_append_text(out, ",\"rev\":");
    gw_buffer_append_u64(out, canvas->revision_count);
    gw_buffer_append_text(out, ",\"state\":{\"blocks\":");
    write_blocks(canvas, lens, out);
    gw_buffer_append_text(out, "},\"tokens\":");
    gw_tokens_write_values(state->tokens, lens, out);
    gw_buffer_append_char(out, '}');
}
