#include "hub/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/plan.h"
#include "hub/state_internal.h"
#include "hub/tokens.h"

/* value: the two sides of one canvas; a side is NULL where it was not mounted */
struct sides {
    const struct gw_blocks *from, *to;
    struct gw_buffer *out;
    struct gw_buffer texts[3]; /* scratch: of either side, and of what is written */
};

static void write_name(struct gw_buffer *out, bool *is_first, const char *name)
{
    if (!*is_first)
        gw_buffer_append_char(out, ',');
    *is_first = false;
    gw_buffer_append_json_string(out, name, strlen(name));
    gw_buffer_append_char(out, ':');
}

/* ---- changes: {from?, to?} ---- */

static void write_side(struct gw_buffer *out, bool *is_first, const char *name, const struct gw_json *value)
{
    if (!value)
        return;
    write_name(out, is_first, name);
    gw_json_write_canonical(value, out);
}

static void write_change(struct gw_buffer *out, const struct gw_json *from, const struct gw_json *to)
{
    bool is_first = true;
    gw_buffer_append_char(out, '{');
    write_side(out, &is_first, "from", from);
    write_side(out, &is_first, "to", to);
    gw_buffer_append_char(out, '}');
}

static void write_text_side(struct gw_buffer *out, const char *name, const char *text, size_t length)
{
    bool is_first = true;
    write_name(out, &is_first, name);
    gw_buffer_append_json_string(out, text, length);
}

/* "" is nothing, written as null. */
static void write_id_change(struct gw_buffer *out, const char *from, const char *to)
{
    const char *sides[2] = {from, to};
    for (size_t i = 0; i < 2; i++) {
        gw_buffer_append_text(out, i ? ",\"to\":" : "{\"from\":");
        if (sides[i][0])
            gw_buffer_append_json_string(out, sides[i], strlen(sides[i]));
        else
            gw_buffer_append_text(out, "null");
    }
    gw_buffer_append_char(out, '}');
}

static bool is_same(const struct gw_json *a, const struct gw_json *b) { return a && b ? gw_json_equal(a, b) : a == b; }

/* The members of both objects whose values differ, sorted: a list of their names. NULL: no memory. */
static const char **differing(const struct gw_json *from, const struct gw_json *to, size_t *count)
{
    const char **names = gw_try_grow(NULL, gw_json_count(from) + gw_json_count(to) + 1, sizeof(const char *)), *name;
    void *iterator = NULL;
    struct gw_json *value;
    *count = 0;
    while (names && gw_json_next(from, &iterator, &name, &value))
        if (!is_same(value, gw_json_get(to, name)))
            names[(*count)++] = name;
    iterator = NULL;
    while (names && gw_json_next(to, &iterator, &name, &value))
        if (!gw_json_get(from, name))
            names[(*count)++] = name;
    return names;
}

static int compare_names(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* {name: change} of what the plan, if there is one, admits. */
static void write_changes(const struct gw_json *from, const struct gw_json *to, const struct gw_plan *plan, struct gw_buffer *out)
{
    size_t count;
    bool is_first = true;
    const char **names = differing(from, to, &count);
    if (!names) {
        out->has_failed = true;
        return;
    }
    if (count > 1)
        qsort(names, count, sizeof *names, compare_names);
    gw_buffer_append_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (plan && !gw_plan_reads_token(plan, names[i]))
            continue;
        write_name(out, &is_first, names[i]);
        write_change(out, gw_json_get(from, names[i]), gw_json_get(to, names[i]));
    }
    gw_buffer_append_char(out, '}');
    gw_free(names);
}

/* ---- one block ---- */

static const char *id_of(const struct gw_block *block) { return block ? gw_block_id(block) : ""; }
static const char *parent_of(const struct gw_block *block) { return id_of(gw_block_parent(block)); }

/* The left neighbour among the siblings that stand below the same parent on the other side too. */
static const struct gw_block *steady_left(const struct gw_block *block, const struct gw_blocks *other)
{
    const struct gw_block *left = block;
    while ((left = gw_block_previous_sibling(left))) {
        const struct gw_block *same = gw_blocks_find(other, gw_block_id(left));
        if (same && strcmp(parent_of(same), parent_of(left)) == 0)
            return left;
    }
    return NULL;
}

static void write_place(const struct sides *s, const struct gw_block *from, const struct gw_block *to, bool *is_first)
{
    bool is_moved = strcmp(parent_of(from), parent_of(to)) != 0;
    const char *before = id_of(is_moved ? gw_block_previous_sibling(from) : steady_left(from, s->to));
    const char *after = id_of(is_moved ? gw_block_previous_sibling(to) : steady_left(to, s->from));
    if (!is_moved && strcmp(before, after) == 0)
        return;
    write_name(s->out, is_first, "after");
    write_id_change(s->out, before, after);
    if (!is_moved)
        return;
    write_name(s->out, is_first, "parent");
    write_id_change(s->out, parent_of(from), parent_of(to));
}

static void write_id_if_changed(const struct sides *s, const char *name, const char *from, const char *to, bool *is_first)
{
    if (strcmp(from, to) == 0)
        return;
    write_name(s->out, is_first, name);
    write_id_change(s->out, from, to);
}

static void read_text(const struct gw_block *block, struct gw_buffer *text)
{
    gw_buffer_reset(text);
    gw_text_write(gw_block_text(block), text);
}

static void write_text(struct sides *s, const struct gw_block *from, const struct gw_block *to, bool *is_first)
{
    struct gw_buffer *a = &s->texts[0], *b = &s->texts[1];
    read_text(from, a);
    read_text(to, b);
    s->out->has_failed |= a->has_failed || b->has_failed;
    if (a->length == b->length && (a->length == 0 || memcmp(a->data, b->data, a->length) == 0))
        return;
    write_name(s->out, is_first, "text");
    gw_buffer_append_char(s->out, '{');
    write_text_side(s->out, "from", a->length ? a->data : "", a->length);
    gw_buffer_append_char(s->out, ',');
    write_text_side(s->out, "to", b->length ? b->data : "", b->length);
    gw_buffer_append_char(s->out, '}');
}

static void write_props(const struct sides *s, const struct gw_block *from, const struct gw_block *to, bool *is_first)
{
    if (gw_json_equal(gw_block_props(from), gw_block_props(to)))
        return;
    write_name(s->out, is_first, "props");
    write_changes(gw_block_props(from), gw_block_props(to), NULL, s->out);
}

/* Members in the order of their names. Takes back what it began when nothing differs. */
static void write_changed(struct sides *s, const struct gw_block *from, const struct gw_block *to, bool *is_first)
{
    size_t length = s->out->length;
    bool was_first = *is_first, is_first_member = true;
    write_name(s->out, is_first, gw_block_id(to));
    gw_buffer_append_char(s->out, '{');
    write_place(s, from, to, &is_first_member);
    write_id_if_changed(s, "kind", gw_block_kind(from), gw_block_kind(to), &is_first_member);
    write_props(s, from, to, &is_first_member);
    write_text(s, from, to, &is_first_member);
    write_id_if_changed(s, "vis", gw_block_vis(from), gw_block_vis(to), &is_first_member);
    gw_buffer_append_char(s->out, '}');
    if (!is_first_member)
        return;
    gw_buffer_truncate(s->out, length);
    *is_first = was_first;
}

/* ---- a canvas ---- */

static int compare_blocks(const void *a, const void *b)
{
    return strcmp(gw_block_id(*(const struct gw_block *const *)a), gw_block_id(*(const struct gw_block *const *)b));
}

/* The blocks of one side by id; *count 0 and an empty list for no canvas. NULL: no memory. */
static const struct gw_block **sort_blocks(const struct gw_blocks *blocks, size_t *count)
{
    size_t most = blocks ? gw_blocks_count(blocks) : 0;
    const struct gw_block **sorted = gw_try_grow(NULL, most + 1, sizeof(const struct gw_block *));
    *count = 0;
    for (const struct gw_block *block = NULL; sorted && blocks && (block = gw_blocks_next(blocks, NULL, block));)
        sorted[(*count)++] = block;
    if (sorted && *count > 1)
        qsort(sorted, *count, sizeof *sorted, compare_blocks);
    return sorted;
}

static const struct gw_block *find(const struct gw_blocks *blocks, const struct gw_block *like)
{
    return blocks ? gw_blocks_find(blocks, gw_block_id(like)) : NULL;
}

/* The blocks of `sorted` that the other side lacks, whole. */
static void write_lacking(struct sides *s, const struct gw_block **sorted, size_t count, const struct gw_blocks *other)
{
    bool is_first = true;
    gw_buffer_append_char(s->out, '{');
    for (size_t i = 0; i < count; i++) {
        if (find(other, sorted[i]))
            continue;
        write_name(s->out, &is_first, gw_block_id(sorted[i]));
        gw_state_write_block(sorted[i], &s->texts[2], s->out);
    }
    gw_buffer_append_char(s->out, '}');
}

static void write_common(struct sides *s, const struct gw_block **sorted, size_t count)
{
    bool is_first = true;
    gw_buffer_append_char(s->out, '{');
    for (size_t i = 0; i < count; i++) {
        const struct gw_block *from = find(s->from, sorted[i]);
        if (from)
            write_changed(s, from, sorted[i], &is_first);
    }
    gw_buffer_append_char(s->out, '}');
}

static void write_blocks(struct sides *s)
{
    size_t from_count, to_count;
    const struct gw_block **from = sort_blocks(s->from, &from_count), **to = sort_blocks(s->to, &to_count);
    if (from && to) {
        gw_buffer_append_text(s->out, "\"blocks\":{\"added\":");
        write_lacking(s, to, to_count, s->from);
        gw_buffer_append_text(s->out, ",\"changed\":");
        write_common(s, to, to_count);
        gw_buffer_append_text(s->out, ",\"removed\":");
        write_lacking(s, from, from_count, s->to);
        gw_buffer_append_char(s->out, '}');
    } else {
        s->out->has_failed = true;
    }
    gw_free(from);
    gw_free(to);
}

static const struct gw_blocks *blocks_of(const struct gw_state *state, const char *canvas_id)
{
    const struct gw_canvas *canvas = gw_state_canvas(state, canvas_id);
    return canvas ? canvas->blocks : NULL;
}

/* ---- Tokens ---- */

static struct gw_json *read_tokens(const struct gw_state *state)
{
    static const struct gw_json_limits limits = {.max_bytes = 256u << 20, .max_depth = 64, .max_nodes = 64u << 20};
    struct gw_buffer text;
    struct gw_json *out = NULL;
    struct gw_error err;
    gw_buffer_init(&text, 0);
    gw_tokens_write_values(state->tokens, NULL, &text);
    if (!text.has_failed && gw_json_parse(text.data, text.length, &limits, &out, &err))
        out = NULL;
    gw_buffer_fini(&text);
    return out;
}

static void write_tokens(const struct gw_state *from, const struct gw_state *to, const struct gw_plan *plan, struct gw_buffer *out)
{
    struct gw_json *before = read_tokens(from), *after = read_tokens(to);
    gw_buffer_append_text(out, ",\"tokens\":");
    if (before && after)
        write_changes(before, after, plan->sees_all ? NULL : plan, out);
    else
        out->has_failed = true;
    gw_json_unref(before);
    gw_json_unref(after);
}

void gw_diff_write(const struct gw_state *from, const struct gw_state *to, const struct gw_plan *plan, const char *canvas_id,
                   struct gw_buffer *out)
{
    struct sides s = {.from = blocks_of(from, canvas_id), .to = blocks_of(to, canvas_id), .out = out};
    for (size_t i = 0; i < 3; i++)
        gw_buffer_init(&s.texts[i], 0);
    write_blocks(&s);
    for (size_t i = 0; i < 3; i++)
        gw_buffer_fini(&s.texts[i]);
    write_tokens(from, to, plan, out);
}
