#include "hub/runs.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/transform.h"

struct run {
    uint64_t points;
    bool is_own; /* the turn put it there */
    bool is_gone;
    char *cut; /* owned: its text, when the turn removed what is not its own; else NULL */
};

struct gw_runs {
    struct run *items;
    size_t count, capacity;
};

struct gw_runs *gw_runs_create(void)
{
    struct gw_runs *runs = gw_try_alloc(sizeof *runs);
    struct run *first = gw_try_alloc(sizeof *first);
    if (!runs || !first) {
        gw_free(runs);
        gw_free(first);
        return NULL;
    }
    *first = (struct run){.points = UINT64_MAX / 2};
    *runs = (struct gw_runs){first, 1, 1};
    return runs;
}

void gw_runs_destroy(struct gw_runs *runs)
{
    if (!runs)
        return;
    for (size_t i = 0; i < runs->count; i++)
        gw_free(runs->items[i].cut);
    gw_free(runs->items);
    gw_free(runs);
}

size_t gw_runs_count(const struct gw_runs *runs) { return runs->count; }

/* Room for `more` items, so that what follows cannot fail half way. */
static int reserve(struct gw_runs *runs, size_t more)
{
    if (runs->count + more <= runs->capacity)
        return GW_OK;
    size_t capacity = (runs->count + more) * 2;
    struct run *grown = gw_try_grow(runs->items, capacity, sizeof *grown);
    if (!grown)
        return GW_ENOMEM;
    runs->items = grown;
    runs->capacity = capacity;
    return GW_OK;
}

static void open_gap(struct gw_runs *runs, size_t index)
{
    memmove(&runs->items[index + 1], &runs->items[index], (runs->count - index) * sizeof *runs->items);
    runs->count++;
}

/* Cuts item `index`, which stands, in two; the first keeps `points`. */
static void split(struct gw_runs *runs, size_t index, uint64_t points)
{
    open_gap(runs, index);
    runs->items[index].points = points;
    runs->items[index + 1].points -= points;
}

/* The index of the item before which point `at` of what stands lies; splits where need be. */
static size_t find(struct gw_runs *runs, uint64_t at)
{
    size_t i = 0;
    for (; at > 0; i++) {
        const struct run *run = &runs->items[i];
        if (run->is_gone)
            continue;
        if (run->points > at)
            split(runs, i, at);
        at -= runs->items[i].points;
    }
    return i;
}

/* Items from `index` on that stand, `del` points of them, are gone. Of `cut` each keeps its own piece. */
static int take_away(struct gw_runs *runs, size_t index, uint64_t del, const char *cut)
{
    size_t length = cut ? strlen(cut) : 0;
    for (size_t i = index; del > 0; i++) {
        if (runs->items[i].is_gone)
            continue;
        if (runs->items[i].points > del) {
            if (reserve(runs, 1))
                return GW_ENOMEM;
            split(runs, i, del);
        }
        struct run *run = &runs->items[i];
        size_t bytes = gw_utf8_offset(cut ? cut : "", length, (size_t)run->points);
        run->cut = cut && !run->is_own ? gw_try_strndup(cut, bytes) : NULL;
        if (cut && !run->is_own && !run->cut)
            return GW_ENOMEM;
        run->is_gone = true;
        del -= run->points;
        cut = cut ? cut + bytes : NULL;
        length -= bytes;
    }
    return GW_OK;
}

int gw_runs_splice(struct gw_runs *runs, const struct gw_splice *splice, bool is_own, const char *cut)
{
    if (reserve(runs, 3))
        return GW_ENOMEM;
    size_t index = find(runs, splice->at);
    if (take_away(runs, index, splice->del, is_own ? cut : NULL))
        return GW_ENOMEM;
    if (splice->ins == 0)
        return GW_OK;
    if (reserve(runs, 1))
        return GW_ENOMEM;
    open_gap(runs, index);
    runs->items[index] = (struct run){.points = splice->ins, .is_own = is_own};
    return GW_OK;
}

static int add_change(struct gw_json *out, uint64_t at, uint64_t del, const struct gw_buffer *ins)
{
    struct gw_json *change = gw_json_new_object();
    int status = change ? gw_json_set(change, "at", gw_json_new_int((int64_t)at)) : GW_ENOMEM;
    if (!status)
        status = gw_json_set(change, "del", gw_json_new_int((int64_t)del));
    if (!status)
        status = gw_json_set(change, "ins", gw_json_new_text(ins->data ? ins->data : "", ins->length));
    if (!status)
        return gw_json_append(out, change);
    gw_json_unref(change);
    return status;
}

/* Neighbouring pieces become one change. `index` is behind its last piece, *at where that piece ends; both go to where the change begins. */
static int add_group(const struct gw_runs *runs, size_t *index, uint64_t *at, struct gw_json *out)
{
    struct gw_buffer ins;
    uint64_t del = 0;
    size_t end = *index;
    while (*index > 0 && (runs->items[*index - 1].is_gone || runs->items[*index - 1].is_own)) {
        const struct run *run = &runs->items[--*index];
        del += run->is_gone ? 0 : run->points;
    }
    gw_buffer_init(&ins, 0);
    for (size_t i = *index; i < end; i++)
        if (runs->items[i].cut)
            gw_buffer_append_text(&ins, runs->items[i].cut);
    *at -= del;
    int status = ins.has_failed ? GW_ENOMEM : GW_OK;
    if (!status && (del || ins.length))
        status = add_change(out, *at, del, &ins);
    gw_buffer_fini(&ins);
    return status;
}

struct gw_json *gw_runs_invert(const struct gw_runs *runs)
{
    struct gw_json *out = gw_json_new_array();
    uint64_t at = 0;
    for (size_t i = 0; i + 1 < runs->count; i++)
        at += runs->items[i].is_gone ? 0 : runs->items[i].points;
    /* The last piece is the end of the endless one: it stands, or the splices did not fit the text. */
    for (size_t index = runs->count - 1; out && index > 0;) {
        const struct run *run = &runs->items[index - 1];
        int status = GW_OK;
        if (run->is_gone || run->is_own)
            status = add_group(runs, &index, &at, out);
        else
            at -= runs->items[--index].points;
        if (status) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}
