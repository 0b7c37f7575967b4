/* Preconditions: `if` maps JSON pointers into the readable state to the values that are expected there. What is not there, and what the
 * lens hides, is null alike. */
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/graph.h"
#include "hub/plan.h"
#include "hub/pointer.h"
#include "hub/resolve.h"
#include "hub/tokens.h"

/* Longest step of a pointer: ids, Token keys, property names. */
#define STEP_MAX 257

/* value: a value found, or null; `owned` is NULL when it is borrowed from the state */
struct found {
    const struct gw_json *expected;
    bool differs;                /* known without building the value */
    const struct gw_json *value; /* NULL: nothing stands there */
    struct gw_json *owned;
    bool has_failed; /* no memory */
};

static void find_text(struct found *found, struct gw_json *text)
{
    found->owned = text;
    found->value = text;
    found->has_failed = !text;
}

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

/* False: no such member. */
static bool find_member(const struct gw_block *block, const char *rest, struct found *found)
{
    char name[STEP_MAX];
    if (strcmp(rest, "/kind") == 0)
        find_text(found, gw_resolve_text(gw_block_kind(block)));
    else if (strcmp(rest, "/parent") == 0 && gw_block_parent(block))
        find_text(found, gw_resolve_text(gw_block_id(gw_block_parent(block))));
    else if (strcmp(rest, "/vis") == 0 && gw_block_vis(block)[0])
        find_text(found, gw_resolve_text(gw_block_vis(block)));
    else if (strcmp(rest, "/text") == 0 && !may_be_text(block, found->expected))
        found->differs = true;
    else if (strcmp(rest, "/text") == 0)
        find_text(found, text_of(block));
    else if (strncmp(rest, "/props/", 7) == 0 && (rest += 6) && gw_pointer_next(&rest, name, sizeof name) && !*rest)
        found->value = gw_json_get(gw_block_props(block), name);
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
static bool find_in_block(const struct gw_blocks *blocks, const char *id, const char *rest, struct found *found)
{
    const struct gw_block *block = gw_blocks_find(blocks, id);
    if (!*rest) {
        if (block)
            find_text(found, gw_resolve_text(id));
        return true;
    }
    return block ? find_member(block, rest, found) : is_member(rest);
}

static bool find_in_canvas(const struct gw_canvas *canvas, const char *rest, struct found *found)
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
    return find_in_block(canvas->blocks, id, rest, found);
}

static bool find_token(const struct gw_resolve *r, const char *rest, struct found *found)
{
    char key[STEP_MAX];
    if (!gw_pointer_next(&rest, key, sizeof key) || *rest)
        return false;
    if (gw_plan_reads_token(r->context->plan, key))
        found->value = gw_tokens_value(r->state->tokens, key);
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

static bool find_graph(const struct gw_graph *graph, const char *rest, struct found *found)
{
    char step[STEP_MAX], id[STEP_MAX];
    if (!gw_pointer_next(&rest, step, sizeof step))
        return false;
    if (!*rest && (strcmp(step, "state") == 0 || strcmp(step, "detail") == 0 || strcmp(step, "flow_id") == 0)) {
        found->value = gw_graph_run(graph) ? gw_json_get(gw_graph_run(graph), step) : NULL;
        return true;
    }
    bool is_node = strcmp(step, "nodes") == 0;
    if ((!is_node && strcmp(step, "edges") != 0) || !gw_pointer_next(&rest, id, sizeof id))
        return false;
    const struct gw_graph_node *node = is_node ? gw_graph_node(graph, id) : NULL;
    const struct gw_graph_edge *edge = is_node ? NULL : gw_graph_edge(graph, id);
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
        return find_graph(r->state->graph, pointer, found);
    if (strcmp(step, "canvases") != 0 || !gw_pointer_next(&pointer, step, sizeof step))
        return false;
    return find_in_canvas(gw_state_canvas(r->state, step), pointer, found);
}

static int judge(const struct gw_resolve *r, const char *pointer, const struct gw_json *expected)
{
    struct found found = {.expected = expected};
    if (!find(r, pointer, &found))
        return gw_error_set(r->err, GW_EINVAL, "bad_condition",
                            "a condition asks for a Token, a canvas's type, a block, node or edge and its members, or the run's state");
    if (found.has_failed)
        return gw_resolve_no_memory(r);
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
