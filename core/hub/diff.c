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

/* value: the two sides of one canvas, through one lens */
struct sides {
    struct gw_sight from, to; /* `canvas` NULL where it was not mounted */
    struct gw_buffer *out;
    struct gw_buffer scratch;
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

/* {name: change} */
static void write_changes(const struct gw_json *from, const struct gw_json *to, struct gw_buffer *out)
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
        write_name(out, &is_first, names[i]);
        write_change(out, gw_json_get(from, names[i]), gw_json_get(to, names[i]));
    }
    gw_buffer_append_char(out, '}');
    gw_free(names);
}

/* ---- one block ---- */

static const char *id_of(const struct gw_block *block) { return block ? gw_block_id(block) : ""; }

static bool is_shown(const struct gw_sight *sight, const struct gw_block *block)
{
    return gw_lens_is_clear(sight->lens) || gw_canvas_shows(sight->canvas, sight->lens->plan, block);
}

static const struct gw_block *find(const struct gw_sight *sight, const struct gw_block *like)
{
    const struct gw_block *block = sight->canvas ? gw_blocks_find(sight->canvas->blocks, gw_block_id(like)) : NULL;
    return block && is_shown(sight, block) ? block : NULL;
}

/* Where it hangs for its reader: at the root when its parent is not shown. */
static const char *parent_of(const struct gw_sight *sight, const struct gw_block *block)
{
    const struct gw_block *parent = gw_block_parent(block);
    return parent && is_shown(sight, parent) ? gw_block_id(parent) : "";
}

static const struct gw_block *left_of(const struct gw_sight *sight, const struct gw_block *block)
{
    do
        block = gw_block_previous_sibling(block);
    while (block && !is_shown(sight, block));
    return block;
}

/* The left neighbour among the siblings that stand below the same parent on the other side too. */
static const struct gw_block *steady_left(const struct gw_sight *sight, const struct gw_block *block, const struct gw_sight *other)
{
    const struct gw_block *left = block;
    while ((left = left_of(sight, left))) {
        const struct gw_block *same = find(other, left);
        if (same && strcmp(parent_of(other, same), parent_of(sight, left)) == 0)
            return left;
    }
    return NULL;
}

static void write_place(const struct sides *s, const struct gw_block *from, const struct gw_block *to, bool *is_first)
{
    const char *old_parent = parent_of(&s->from, from), *new_parent = parent_of(&s->to, to);
    bool is_moved = strcmp(old_parent, new_parent) != 0;
    const char *before = id_of(is_moved ? left_of(&s->from, from) : steady_left(&s->from, from, &s->to));
    const char *after = id_of(is_moved ? left_of(&s->to, to) : steady_left(&s->to, to, &s->from));
    if (!is_moved && strcmp(before, after) == 0)
        return;
    write_name(s->out, is_first, "after");
    write_id_change(s->out, before, after);
    if (!is_moved)
        return;
    write_name(s->out, is_first, "parent");
    write_id_change(s->out, old_parent, new_parent);
}

static void write_id_if_changed(const struct sides *s, const char *name, const char *from, const char *to, bool *is_first)
{
    if (strcmp(from, to) == 0)
        return;
    write_name(s->out, is_first, name);
    write_id_change(s->out, from, to);
}

/* What of the block's content its reader sees. False: no memory. */
static bool see(struct sides *s, const struct gw_sight *sight, const struct gw_block *block, struct gw_seen_block *out)
{
    struct gw_plan_thing thing = gw_canvas_thing(sight->canvas, block);
    struct gw_buffer *text = &s->scratch;
    gw_buffer_reset(text);
    gw_text_write(gw_block_text(block), text);
    struct gw_json *whole = text->has_failed ? NULL : gw_json_new_text(text->data ? text->data : "", text->length);
    struct gw_seen_block given = {gw_block_props(block), whole};
    int status = whole ? gw_lens_block(sight->lens, gw_block_id(block), &thing, &given, out) : GW_ENOMEM;
    gw_json_unref(whole);
    return !status;
}

static void write_content(struct sides *s, const struct gw_seen_block *from, const struct gw_seen_block *to, bool *is_first)
{
    size_t from_length, to_length;
    const char *from_text = gw_json_text(from->text, &from_length), *to_text = gw_json_text(to->text, &to_length);
    if (!gw_json_equal(from->props, to->props)) {
        write_name(s->out, is_first, "props");
        write_changes(from->props, to->props, s->out);
    }
    if (from_length == to_length && memcmp(from_text, to_text, from_length) == 0)
        return;
    write_name(s->out, is_first, "text");
    gw_buffer_append_char(s->out, '{');
    write_text_side(s->out, "from", from_text, from_length);
    gw_buffer_append_char(s->out, ',');
    write_text_side(s->out, "to", to_text, to_length);
    gw_buffer_append_char(s->out, '}');
}

/* Props, then text. */
static void write_contents(struct sides *s, const struct gw_block *from, const struct gw_block *to, bool *is_first)
{
    struct gw_seen_block before = {0}, after = {0};
    if (see(s, &s->from, from, &before) && see(s, &s->to, to, &after))
        write_content(s, &before, &after, is_first);
    else
        s->out->has_failed = true;
    gw_seen_block_fini(&before);
    gw_seen_block_fini(&after);
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
    write_contents(s, from, to, &is_first_member);
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

/* The blocks of one side that are shown, by id; *count 0 and an empty list for no canvas. NULL: no memory. */
static const struct gw_block **sort_blocks(const struct gw_sight *sight, size_t *count)
{
    const struct gw_blocks *blocks = sight->canvas ? sight->canvas->blocks : NULL;
    size_t most = blocks ? gw_blocks_count(blocks) : 0;
    const struct gw_block **sorted = gw_try_grow(NULL, most + 1, sizeof(const struct gw_block *));
    *count = 0;
    for (const struct gw_block *block = NULL; sorted && blocks && (block = gw_blocks_next(blocks, NULL, block));)
        if (is_shown(sight, block))
            sorted[(*count)++] = block;
    if (sorted && *count > 1)
        qsort(sorted, *count, sizeof *sorted, compare_blocks);
    return sorted;
}

/* value: the blocks of a side */
struct side {
    const struct gw_block **sorted;
    size_t count;
};

/* Those that the other side lacks, whole. */
static void write_lacking(struct sides *s, const struct side *side, const struct gw_sight *sight, const struct gw_sight *other)
{
    bool is_first = true;
    gw_buffer_append_char(s->out, '{');
    for (size_t i = 0; i < side->count; i++) {
        if (find(other, side->sorted[i]))
            continue;
        write_name(s->out, &is_first, gw_block_id(side->sorted[i]));
        gw_state_write_block(sight, side->sorted[i], &s->scratch, s->out);
    }
    gw_buffer_append_char(s->out, '}');
}

static void write_common(struct sides *s, const struct side *to)
{
    bool is_first = true;
    gw_buffer_append_char(s->out, '{');
    for (size_t i = 0; i < to->count; i++) {
        const struct gw_block *from = find(&s->from, to->sorted[i]);
        if (from)
            write_changed(s, from, to->sorted[i], &is_first);
    }
    gw_buffer_append_char(s->out, '}');
}

static void write_blocks(struct sides *s)
{
    struct side from, to;
    from.sorted = sort_blocks(&s->from, &from.count);
    to.sorted = sort_blocks(&s->to, &to.count);
    if (from.sorted && to.sorted) {
        gw_buffer_append_text(s->out, "\"blocks\":{\"added\":");
        write_lacking(s, &to, &s->to, &s->from);
        gw_buffer_append_text(s->out, ",\"changed\":");
        write_common(s, &to);
        gw_buffer_append_text(s->out, ",\"removed\":");
        write_lacking(s, &from, &s->from, &s->to);
        gw_buffer_append_char(s->out, '}');
    } else {
        s->out->has_failed = true;
    }
    gw_free(from.sorted);
    gw_free(to.sorted);
}

/* ---- Tokens ---- */

static struct gw_json *read_tokens(const struct gw_state *state, const struct gw_lens *lens)
{
    static const struct gw_json_limits limits = {.max_bytes = 256u << 20, .max_depth = 64, .max_nodes = 64u << 20};
    struct gw_buffer text;
    struct gw_json *out = NULL;
    struct gw_error err;
    gw_buffer_init(&text, 0);
    gw_tokens_write_values(state->tokens, lens, &text);
    if (!text.has_failed && gw_json_parse(text.data, text.length, &limits, &out, &err))
        out = NULL;
    gw_buffer_fini(&text);
    return out;
}

static void write_tokens(const struct gw_state *from, const struct gw_state *to, const struct gw_lens *lens, struct gw_buffer *out)
{
    struct gw_json *before = read_tokens(from, lens), *after = read_tokens(to, lens);
    gw_buffer_append_text(out, ",\"tokens\":");
    if (before && after)
        write_changes(before, after, out);
    else
        out->has_failed = true;
    gw_json_unref(before);
    gw_json_unref(after);
}

void gw_diff_write(const struct gw_state *from, const struct gw_state *to, const struct gw_lens *lens, const char *canvas_id,
                   struct gw_buffer *out)
{
    struct sides s = {.from = {gw_state_canvas(from, canvas_id), lens}, .to = {gw_state_canvas(to, canvas_id), lens}, .out = out};
    gw_buffer_init(&s.scratch, 0);
    write_blocks(&s);
    gw_buffer_fini(&s.scratch);
    write_tokens(from, to, lens, out);
}
