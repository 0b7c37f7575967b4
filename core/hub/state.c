#include "hub/state.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/chat.h"
#include "hub/graph.h"
#include "hub/origins.h"
#include "hub/state_internal.h"
#include "hub/tokens.h"

#define OPEN_OPS_MAX 262144

void gw_state_limits_default(struct gw_state_limits *limits)
{
    *limits = (struct gw_state_limits){.max_canvases = 32,
                                       .max_blocks = 200000,
                                       .max_text_bytes = 1u << 20,
                                       .max_props_bytes = 64u << 10,
                                       .max_depth = 64,
                                       .max_token_bytes = 16u << 10,
                                       .max_base64_run = 1024,
                                       .edit_window = 65536,
                                       .max_context_ops = 16384,
                                       .max_message_bytes = 1u << 20,
                                       .max_open_messages = 1000,
                                       .max_open_bytes = 16u << 20,
                                       .max_nodes = 10000,
                                       .max_edges = 50000};
}

struct gw_state *gw_state_create(const uint8_t seed[16], const struct gw_state_limits *limits)
{
    struct gw_state *state = gw_alloc(sizeof *state);
    state->limits = *limits;
    state->splice_limits = (struct gw_splice_limits){
        .edit_window = limits->edit_window, .max_context_ops = limits->max_context_ops, .max_open_ops = OPEN_OPS_MAX};
    memcpy(state->seed, seed, sizeof state->seed);
    state->canvases = gw_alloc_array(limits->max_canvases + 1, sizeof(struct gw_canvas *));
    state->canvas_ids = gw_alloc_array(limits->max_canvases + 1, sizeof(const char *));
    state->tokens = gw_tokens_create(seed, &state->journal);
    state->origins = gw_origins_create(seed, &state->journal);
    state->chat = gw_chat_create(seed, &state->journal);
    state->graph = gw_graph_create(seed, &state->journal);
    return state;
}

void gw_state_destroy(struct gw_state *state)
{
    if (!state)
        return;
    if (state->journal.is_open)
        gw_journal_keep(&state->journal);
    gw_state_destroy_dead(state);
    for (size_t i = 0; i < state->canvas_count; i++)
        gw_canvas_destroy(state->canvases[i]);
    gw_tokens_destroy(state->tokens);
    gw_origins_destroy(state->origins);
    gw_chat_destroy(state->chat);
    gw_graph_destroy(state->graph);
    gw_free(state->canvases);
    gw_free(state->canvas_ids);
    gw_free(state);
}

uint64_t gw_state_seq(const struct gw_state *state) { return state->seq; }

struct gw_chat *gw_state_chat(const struct gw_state *state) { return state->chat; }

void gw_state_begin(struct gw_state *state)
{
    gw_journal_begin(&state->journal);
    state->begin_seq = state->seq;
}

void gw_state_keep(struct gw_state *state)
{
    gw_journal_keep(&state->journal);
    gw_state_destroy_dead(state);
    gw_origins_trim(state->origins);
    gw_chat_trim(state->chat);
}

void gw_state_revert(struct gw_state *state)
{
    gw_journal_revert(&state->journal);
    gw_state_destroy_dead(state);
    state->seq = state->begin_seq;
}

size_t gw_state_canvases(const struct gw_state *state, const char *const **ids)
{
    *ids = state->canvas_ids;
    return state->canvas_count;
}

struct gw_canvas *gw_state_canvas(const struct gw_state *state, const char *canvas_id)
{
    for (size_t i = 0; i < state->canvas_count; i++)
        if (strcmp(state->canvas_ids[i], canvas_id) == 0)
            return state->canvases[i];
    return NULL;
}

uint64_t gw_state_commit_seq(const struct gw_state *state, const char *canvas_id, uint64_t rev)
{
    for (size_t i = 0; i < state->canvas_count; i++) {
        const struct gw_canvas *canvas = state->canvases[i];
        bool is_asked = !canvas_id || !canvas_id[0] || strcmp(canvas->id, canvas_id) == 0;
        if (is_asked && rev >= 1 && rev <= canvas->revision_count)
            return canvas->revisions[rev - 1].seq;
    }
    return 0;
}

uint64_t gw_state_revision_count(const struct gw_state *state, const char *canvas_id)
{
    const struct gw_canvas *canvas = gw_state_canvas(state, canvas_id);
    return canvas ? canvas->revision_count : 0;
}

uint64_t gw_state_grown_seq(const struct gw_state *state) { return state->grown_seq; }

uint64_t gw_state_uncommitted(const struct gw_state *state, const char *canvas_id)
{
    const struct gw_canvas *canvas = gw_state_canvas(state, canvas_id);
    return canvas ? canvas->uncommitted : 0;
}

const char *gw_state_text_member(const struct gw_json *object, const char *name)
{
    const struct gw_json *value = gw_json_is_object(object) ? gw_json_get(object, name) : NULL;
    return gw_json_is_string(value) ? gw_json_text(value, NULL) : NULL;
}
