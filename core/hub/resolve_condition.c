/* Preconditions: `if` maps JSON pointers into the readable state to the values that are expected there. What is not there, and what the
 * lens hides, is null alike. */
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/graph.h"
#include "hub/lens.h"
#include "hub/plan.h"
#include "hub/pointer.h"
#include "hub/resolve.h"
#include "hub/state_graph.h"
#include "hub/tokens.h"

/* Longest step of a pointer: ids, Token keys, property names. */
#define STEP_MAX 257

/* value: a value found, or null; `owned` is NULL when it is borrowed from the state */
struct found {
    const struct gw_json *expected;
    bool differs;                /* known without building the value */
    const struct gw_json *value; /* NULL: nothing stands there */
    struct gw_json *owned;
    bool has_failed; /* gw_lens_why knows */
};

static void find_text(struct found *found, struct gw_json *text /* taken */)
{
    found->owned = text;
    found->value = text;
    found->has_failed = !text;
}

/* value: a block through its asker's lens */
struct asked {
    const struct gw_canvas *canvas;
    const struct gw_block *block;
    struct gw_lens lens;
    struct gw_plan_thing thing;
};

/* A text of another length need not be built: so conditions cost no more than their own bytes. */
static bool may_be_text(const struct gw_block *block, const struct gw_json *expected)
{
    size_t length = 0;
    if (gw_json_is_string(expected))
        gw_json_text(expected, &length);
    return gw_json_is_string(expected) && length == gw_block_text(block)->bytes;
}

static struct gw_json *text_of(const struct gw_block *block)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_text_write(gw_block_text(block), &text);
    struct gw_json *out = text.has_failed ? NULL : gw_json_new_text(text.data ? text.data : "", text.length);
    gw_buffer_fini(&text);
    return out;
}

/* Through a transform, which makes a block's content as a whole. */
static void find_transformed(const struct asked *asked, const char *prop, struct found *found)
{
    struct gw_seen_block given = {gw_block_props(asked->block), text_of(asked->block)}, seen = {0};
    int status = given.text ? gw_lens_block(&asked->lens, gw_block_id(asked->block), &asked->thing, &given, &seen) : GW_ENOMEM;
    struct gw_json *value = status ? NULL : prop ? gw_json_get(seen.props, prop) : seen.text;
    found->has_failed = status != GW_OK;
    if (value)
        find_text(found, gw_json_ref(value));
    gw_json_unref(given.text);
    gw_seen_block_fini(&seen);
}

static void find_shown_text(const struct asked *asked, struct found *found)
{
    if (asked->lens.plan->transform)
        find_transformed(asked, NULL, found);
    else if (!gw_plan_shows_text(asked->lens.plan, &asked->thing))
        find_text(found, gw_resolve_text(""));
    else if (!may_be_text(asked->block, found->expected))
        found->differs = true;
    else
        find_text(found, text_of(asked->block));
}

static void find_prop(const struct asked *asked, const char *name, struct found *found)
{
    if (!gw_plan_shows_prop(asked->lens.plan, &asked->thing, name))
        return;
    if (asked->lens.plan->transform)
        find_transformed(asked, name, found);
    else
        found->value = gw_json_get(gw_block_props(asked->block), name);
}

/* False: no such member. */
static bool find_member(const struct asked *asked, const char *rest, struct found *found)
{
    const struct gw_block *block = asked->block, *parent = gw_block_parent(block);
    char name[STEP_MAX];
    if (strcmp(rest, "/kind") == 0)
        find_text(found, gw_resolve_text(gw_block_kind(block)));
    else if (strcmp(rest, "/parent") == 0 && parent && gw_canvas_shows(asked->canvas, asked->lens.plan, parent))
        find_text(found, gw_resolve_text(gw_block_id(parent)));
    else if (strcmp(rest, "/vis") == 0 && gw_block_vis(block)[0])
        find_text(found, gw_resolve_text(gw_block_vis(block)));
    else if (strcmp(rest, "/text") == 0)
        find_shown_text(asked, found);
    else if (strncmp(rest, "/props/", 7) == 0 && (rest += 6) && gw_pointer_next(&rest, name, sizeof name) && !*rest)
        find_prop(asked, name, found);
    else
        return strcmp(rest, "/parent") == 0 || strcmp(rest, "/vis") == 0;
    return true;
}

static bool is_member(const char *rest)
{
    return strcmp(rest, "/kind") == 0 || strcmp(rest, "/parent") == 0 || strcmp(rest, "/vis") == 0 || strcmp(rest, "/text") == 0 ||
           strncmp(rest, "/props/", 7) == 0;
}

/* The block itself, without the volatile pos: its existence is what can be asked. */
static bool find_in_block(const struct gw_resolve *r, const struct gw_canvas *canvas, const char *id, const char *rest, struct found *found)
{
    const struct gw_block *block = gw_blocks_find(canvas->blocks, id);
    if (block && !gw_canvas_shows(canvas, r->context->plan, block))
        block = NULL;
    if (!*rest) {
        if (block)
            find_text(found, gw_resolve_text(id));
        return true;
    }
    if (!block)
        return is_member(rest);
    struct asked asked = {canvas, block, {r->context->plan, r->context->policy}, gw_canvas_thing(canvas, block)};
    return find_member(&asked, rest, found);
}

static bool find_in_canvas(const struct gw_resolve *r, const struct gw_canvas *canvas, const char *rest, struct found *found)
{
    char step[STEP_MAX], id[STEP_MAX];
    if (strcmp(rest, "/type") == 0) {
        if (canvas)
            find_text(found, gw_resolve_text(canvas->type));
        return true;
    }
    if (!gw_pointer_next(&rest, step, sizeof step) || strcmp(step, "blocks") != 0 || !gw_pointer_next(&rest, id, sizeof id))
        return false;
    if (!canvas)
        return !*rest || is_member(rest);
    return find_in_block(r, canvas, id, rest, found);
}

static bool find_token(const struct gw_resolve *r, const char *rest, struct found *found)
{
    char key[STEP_MAX];
    if (!gw_pointer_next(&rest, key, sizeof key) || *rest)
        return false;
    struct gw_lens lens = {r->context->plan, r->context->policy};
    struct gw_json *value = gw_tokens_value(r->state->tokens, key);
    if (value && gw_tokens_shows(lens.plan, key, gw_tokens_declaration(r->state->tokens, key)))
        find_text(found, gw_lens_token(&lens, key, value));
    return true;
}

/* A node or an edge: itself, as its id, or one of its members. */
static bool find_in_graph(const struct gw_json *data, const char *id, const char *rest, struct found *found)
{
    char name[STEP_MAX];
    if (!*rest) {
        if (data)
            find_text(found, gw_resolve_text(id));
        return true;
    }
    if (!gw_pointer_next(&rest, name, sizeof name) || *rest)
        return false;
    if (data)
        found->value = gw_json_get(data, name);
    return true;
}

static bool find_graph(const struct gw_resolve *r, const char *rest, struct found *found)
{
    const struct gw_graph *graph = r->state->graph;
    struct gw_lens lens = {r->context->plan, NULL};
    const struct gw_json *run = gw_graph_shown_run(&lens, graph);
    char step[STEP_MAX], id[STEP_MAX];
    if (!gw_pointer_next(&rest, step, sizeof step))
        return false;
    if (!*rest && (strcmp(step, "state") == 0 || strcmp(step, "detail") == 0 || strcmp(step, "flow_id") == 0)) {
        found->value = run ? gw_json_get(run, step) : NULL;
        return true;
    }
    bool is_node = strcmp(step, "nodes") == 0;
    if ((!is_node && strcmp(step, "edges") != 0) || !gw_pointer_next(&rest, id, sizeof id))
        return false;
    const struct gw_graph_node *node = is_node ? gw_graph_node(graph, id) : NULL;
    const struct gw_graph_edge *edge = is_node ? NULL : gw_graph_edge(graph, id);
    if (node && !gw_graph_shows_node(&lens, node))
        node = NULL;
    if (edge && !gw_graph_shows_edge(&lens, edge))
        edge = NULL;
    return find_in_graph(node ? gw_graph_node_data(node) : edge ? gw_graph_edge_data(edge) : NULL, id, rest, found);
}

/* False: the pointer leads to nothing that a condition may ask. */
static bool find(const struct gw_resolve *r, const char *pointer, struct found *found)
{
    char step[STEP_MAX];
    if (!gw_pointer_next(&pointer, step, sizeof step))
        return false;
    if (strcmp(step, "tokens") == 0)
        return find_token(r, pointer, found);
    if (strcmp(step, "graph") == 0)
        return find_graph(r, pointer, found);
    if (strcmp(step, "canvases") != 0 || !gw_pointer_next(&pointer, step, sizeof step))
        return false;
    return find_in_canvas(r, gw_state_canvas(r->state, step), pointer, found);
}

static int judge(const struct gw_resolve *r, const char *pointer, const struct gw_json *expected)
{
    struct found found = {.expected = expected};
    if (!find(r, pointer, &found))
        return gw_error_set(r->err, GW_EINVAL, "bad_condition",
                            "a condition asks for a Token, a canvas's type, a block, node or edge and its members, or the run's state");
    if (found.has_failed)
        return gw_lens_why(r->context->policy, r->err);
    bool holds = !found.differs && (found.value ? gw_json_equal(found.value, expected) : gw_json_is_null(expected));
    gw_json_unref(found.owned);
    return holds ? GW_OK : gw_error_set(r->err, GW_ECONFLICT, "condition_failed", "another value stands at %s", pointer);
}

int gw_resolve_conditions(const struct gw_resolve *r)
{
    void *iterator = NULL;
    const char *pointer;
    struct gw_json *expected;
    if (!r->command->condition)
        return GW_OK;
    if (gw_json_count(r->command->condition) > GW_CONDITIONS_MAX) {
        gw_error_limit(r->err, "limit_conditions", "max_conditions", GW_CONDITIONS_MAX, "a command may hold %d conditions",
                       GW_CONDITIONS_MAX);
        return gw_resolve_at(r, "/if");
    }
    while (gw_json_next(r->command->condition, &iterator, &pointer, &expected)) {
        int status = judge(r, pointer, expected);
        if (!status)
            continue;
        gw_pointer_prefix(r->err, pointer);
        return gw_resolve_at(r, "/if");
    }
    return GW_OK;
}
