#include "hub/splice_context.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hub/journal.h"
#include "hub/splice_log.h"

/* Resolving carries an edit over the operations that its author had not seen; folding carries those over the edit as well, so that the
 * origin's next edit finds them as its author will. */

struct gw_splice_log *gw_splice_log_create(size_t *open_ops)
{
    struct gw_splice_log *log = gw_try_alloc(sizeof *log);
    if (log)
        *log = (struct gw_splice_log){.open_ops = open_ops};
    return log;
}

void gw_splice_list_fini(struct gw_splice_list *list)
{
    for (size_t i = list->first; i < list->count; i++)
        gw_text_op_fini(&list->items[i].op);
    gw_free(list->items);
    *list = (struct gw_splice_list){0};
}

static void free_origin(struct gw_splice_log *log, struct gw_splice_origin *origin)
{
    *log->open_ops -= gw_splice_list_length(&origin->unseen);
    gw_splice_list_fini(&origin->unseen);
    gw_free(origin);
}

void gw_splice_log_destroy(struct gw_splice_log *log)
{
    if (!log)
        return;
    for (size_t i = 0; i < log->origin_count; i++)
        free_origin(log, log->origins[i]);
    gw_free(log->origins);
    gw_splice_list_fini(&log->ops);
    gw_free(log);
}

int gw_splice_list_reserve(struct gw_splice_list *list)
{
    if (list->count < list->capacity)
        return 0;
    if (list->first > list->count / 2) {
        memmove(list->items, list->items + list->first, gw_splice_list_length(list) * sizeof *list->items);
        list->count -= list->first;
        list->first = 0;
        return 0;
    }
    size_t capacity = list->capacity ? list->capacity * 2 : 4;
    struct gw_splice_seen *items = gw_try_grow(list->items, capacity, sizeof *items);
    if (!items)
        return GW_ENOMEM;
    list->items = items;
    list->capacity = capacity;
    return 0;
}

void gw_splice_list_add(struct gw_splice_list *list, uint64_t seq, const struct gw_text_op *op)
{
    assert(list->count < list->capacity);
    list->items[list->count++] = (struct gw_splice_seen){seq, *op};
}

size_t gw_splice_list_after(const struct gw_splice_list *list, uint64_t seq)
{
    size_t low = list->first, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle].seq > seq)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

size_t gw_splice_log_place(const struct gw_splice_log *log, const char *origin, bool *is_there)
{
    size_t low = 0, high = log->origin_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(log->origins[middle]->name, origin) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *is_there = low < log->origin_count && strcmp(log->origins[low]->name, origin) == 0;
    return low;
}

static struct gw_splice_origin *find_origin(const struct gw_splice_log *log, const char *name)
{
    bool is_there = false;
    size_t place = name && *name ? gw_splice_log_place(log, name, &is_there) : 0;
    return is_there ? log->origins[place] : NULL;
}

/* value: what an edit has not seen, in order: the kept ones from `held`, then the log's from `next` */
struct unseen {
    const struct gw_splice_list *kept;
    size_t held, next;
    const struct gw_splice_list *ops;
    uint64_t base_seq; /* what the author has seen, also by its own earlier edits */
};

/* An origin whose edits all lie within what it has seen holds nothing back: the log alone tells what is unseen. */
static struct unseen gather(const struct gw_splice_log *log, const struct gw_splice_edit *edit)
{
    const struct gw_splice_origin *origin = find_origin(log, edit->origin);
    struct unseen u = {.ops = &log->ops, .base_seq = edit->base_seq};
    if (origin && origin->base_seq > u.base_seq)
        u.base_seq = origin->base_seq;
    uint64_t synced = u.base_seq;
    if (origin && origin->last_seq > u.base_seq) {
        u.kept = &origin->unseen;
        u.held = gw_splice_list_after(u.kept, u.base_seq);
        if (origin->last_seq > synced)
            synced = origin->last_seq;
    }
    u.next = gw_splice_list_after(u.ops, synced);
    return u;
}

static size_t unseen_count(const struct unseen *u) { return (u->kept ? u->kept->count - u->held : 0) + u->ops->count - u->next; }

/* The next one, or NULL at the end. */
static const struct gw_splice_seen *step(struct unseen *u)
{
    if (u->kept && u->held < u->kept->count)
        return &u->kept->items[u->held++];
    return u->next < u->ops->count ? &u->ops->items[u->next++] : NULL;
}

uint64_t gw_splice_floor(const struct gw_splice_limits *limits, uint64_t head_seq)
{
    return head_seq > limits->edit_window ? head_seq - limits->edit_window : 0;
}

/* Carries *op, which it consumes, over `other`. */
static int carry(struct gw_text_op *op, const struct gw_text_op *other, bool is_later)
{
    struct gw_text_op next;
    int code = gw_text_op_transform(op, other, is_later, &next);
    gw_text_op_fini(op);
    *op = next;
    return code;
}

static int check_unseen(const struct gw_splice_log *log, const struct gw_splice_limits *limits, const struct unseen *u,
                        struct gw_error *err)
{
    size_t count = unseen_count(u);
    if (count > limits->max_context_ops)
        return gw_error_limit(err, "base_too_old", "max_context_ops", (int64_t)limits->max_context_ops,
                              "%zu splices came after this base: read the state and write the splice again", count);
    if (count > GW_SPLICE_FREE_OPS && *log->open_ops > limits->max_open_ops)
        return gw_error_limit(err, "base_too_old", "max_open_ops", (int64_t)limits->max_open_ops,
                              "too many old bases are in use: send one that is at most %d splices behind", GW_SPLICE_FREE_OPS);
    return 0;
}

static int check_base(const struct gw_splice_limits *limits, const struct gw_splice_edit *edit, uint64_t base_seq, struct gw_error *err)
{
    bool has_origin = edit->origin && *edit->origin;
    if (edit->base_seq > edit->seq || (has_origin && edit->base_seq && edit->base_seq == edit->seq))
        return gw_error_set(err, GW_EINVAL, "base_in_future", "the base lies after the last event of the run");
    if (edit->seq && base_seq < gw_splice_floor(limits, edit->seq - 1))
        return gw_error_limit(err, "base_too_old", "edit_window", (int64_t)limits->edit_window,
                              "more than %llu events came after this base: read the state and write the splice again",
                              (unsigned long long)limits->edit_window);
    return 0;
}

int gw_splice_log_resolve(const struct gw_splice_log *log, const struct gw_splice_limits *limits, const struct gw_splice_edit *edit,
                          struct gw_text_op *resolved, struct gw_error *err)
{
    struct gw_splice_list none = {0};
    struct unseen u = {.ops = &none, .base_seq = edit->base_seq};
    if (log)
        u = gather(log, edit);
    int code = check_base(limits, edit, u.base_seq, err);
    if (!code && log)
        code = check_unseen(log, limits, &u, err);
    if (code)
        return code;
    gw_text_op_init(resolved, &edit->written);
    for (const struct gw_splice_seen *seen = step(&u); seen; seen = step(&u))
        if (carry(resolved, &seen->op, true)) {
            gw_text_op_fini(resolved);
            return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to resolve the splice");
        }
    return 0;
}

static size_t removed_points(const struct gw_text_op *op)
{
    size_t points = 0;
    for (uint32_t i = 0; i < gw_text_op_splice_count(op); i++)
        points += gw_text_op_splice(op, i).del;
    return points;
}

size_t gw_splice_log_points(const struct gw_splice_log *log, const struct gw_splice_edit *edit, size_t points_now)
{
    if (!log)
        return points_now;
    struct unseen u = gather(log, edit);
    /* Their order does not matter to the sum; unsigned arithmetic may pass below zero on the way. */
    for (const struct gw_splice_seen *seen = step(&u); seen; seen = step(&u))
        points_now += removed_points(&seen->op) - seen->op.ins;
    return points_now;
}

/* Undo of one fold: the log loses its newest operation, the origin gets back what it was. */
struct fold_undo {
    struct gw_undo step;
    struct gw_splice_log *log;
    struct gw_splice_origin *origin; /* NULL: the edit had none */
    bool is_new_origin;
    uint64_t base_seq, last_seq;
    struct gw_splice_list unseen;
};

static void close_origin(struct gw_splice_log *log, struct gw_splice_origin *origin)
{
    bool is_there;
    size_t place = gw_splice_log_place(log, origin->name, &is_there);
    assert(is_there);
    log->origin_count--;
    memmove(log->origins + place, log->origins + place + 1, (log->origin_count - place) * sizeof(struct gw_splice_origin *));
    free_origin(log, origin);
}

static void on_revert(struct gw_undo *step)
{
    struct fold_undo *undo = (struct fold_undo *)step;
    struct gw_splice_log *log = undo->log;
    gw_text_op_fini(&log->ops.items[--log->ops.count].op);
    if (undo->is_new_origin) {
        close_origin(log, undo->origin);
    } else if (undo->origin) {
        *log->open_ops += gw_splice_list_length(&undo->unseen) - gw_splice_list_length(&undo->origin->unseen);
        gw_splice_list_fini(&undo->origin->unseen);
        undo->origin->unseen = undo->unseen;
        undo->origin->base_seq = undo->base_seq;
        undo->origin->last_seq = undo->last_seq;
    }
    gw_free(undo);
}

static void on_forget(struct gw_undo *step)
{
    struct fold_undo *undo = (struct fold_undo *)step;
    gw_splice_list_fini(&undo->unseen);
    gw_free(undo);
}

struct gw_splice_origin *gw_splice_log_open(struct gw_splice_log *log, const char *name)
{
    bool is_there;
    size_t place = gw_splice_log_place(log, name, &is_there);
    assert(!is_there);
    size_t size = strlen(name) + 1;
    struct gw_splice_origin **origins = gw_try_grow(log->origins, log->origin_count + 1, sizeof(struct gw_splice_origin *));
    if (!origins)
        return NULL;
    log->origins = origins;
    struct gw_splice_origin *origin = gw_try_alloc(sizeof *origin + size);
    if (!origin)
        return NULL;
    *origin = (struct gw_splice_origin){0};
    memcpy(origin->name, name, size);
    memmove(origins + place + 1, origins + place, (log->origin_count - place) * sizeof(struct gw_splice_origin *));
    origins[place] = origin;
    log->origin_count++;
    return origin;
}

/* What stays unseen, carried over the edit; the edit itself moves along. */
static int carry_unseen(const struct gw_splice_log *log, const struct gw_splice_edit *edit, struct gw_splice_list *out)
{
    struct unseen u = gather(log, edit);
    struct gw_text_op own, other;
    int code = 0;
    gw_text_op_init(&own, &edit->written);
    for (const struct gw_splice_seen *seen = step(&u); seen && !code; seen = step(&u)) {
        code = gw_text_op_transform(&seen->op, &own, false, &other);
        if (!code && !(code = gw_splice_list_reserve(out)))
            gw_splice_list_add(out, seen->seq, &other);
        else
            gw_text_op_fini(&other);
        if (!code)
            code = carry(&own, &seen->op, true);
    }
    gw_text_op_fini(&own);
    if (code)
        gw_splice_list_fini(out);
    return code;
}

/* Everything that a fold needs memory for; nothing shows yet but an origin that is new and empty. */
static int prepare_fold(struct gw_splice_log *log, const struct gw_splice_edit *edit, struct fold_undo *undo, struct gw_splice_list *unseen)
{
    if (gw_splice_list_reserve(&log->ops))
        return GW_ENOMEM;
    if (!edit->origin || !*edit->origin)
        return 0;
    if (carry_unseen(log, edit, unseen))
        return GW_ENOMEM;
    undo->origin = find_origin(log, edit->origin);
    if (undo->origin)
        return 0;
    undo->is_new_origin = true;
    undo->origin = gw_splice_log_open(log, edit->origin);
    if (undo->origin)
        return 0;
    gw_splice_list_fini(unseen);
    return GW_ENOMEM;
}

int gw_splice_log_fold(struct gw_splice_log *log, const struct gw_splice_edit *edit, const struct gw_text_op *resolved,
                       struct gw_journal *journal)
{
    struct gw_text_op copy;
    struct gw_splice_list unseen = {0};
    struct fold_undo *undo = gw_try_alloc(sizeof *undo);
    if (!undo)
        return GW_ENOMEM;
    *undo = (struct fold_undo){.step = {NULL, on_revert, on_forget}, .log = log};
    if (gw_text_op_copy(resolved, &copy)) {
        gw_free(undo);
        return GW_ENOMEM;
    }
    if (prepare_fold(log, edit, undo, &unseen)) {
        gw_text_op_fini(&copy);
        gw_free(undo);
        return GW_ENOMEM;
    }
    gw_splice_list_add(&log->ops, edit->seq, &copy);
    struct gw_splice_origin *origin = undo->origin;
    if (origin) {
        *log->open_ops += gw_splice_list_length(&unseen) - gw_splice_list_length(&origin->unseen);
        undo->unseen = origin->unseen;
        undo->base_seq = origin->base_seq;
        undo->last_seq = origin->last_seq;
        origin->unseen = unseen;
        origin->base_seq = edit->base_seq > origin->base_seq ? edit->base_seq : origin->base_seq;
        origin->last_seq = edit->seq;
    }
    gw_journal_push(journal, &undo->step);
    return 0;
}

uint64_t gw_splice_log_last_seq(const struct gw_splice_log *log)
{
    return gw_splice_list_length(&log->ops) ? log->ops.items[log->ops.count - 1].seq : 0;
}

static void drop_until(struct gw_splice_list *list, uint64_t seq)
{
    size_t end = gw_splice_list_after(list, seq);
    for (; list->first < end; list->first++)
        gw_text_op_fini(&list->items[list->first].op);
    if (list->first == list->count)
        gw_splice_list_fini(list);
}

void gw_splice_log_prune(struct gw_splice_log *log, const struct gw_splice_limits *limits, uint64_t head_seq)
{
    uint64_t floor = gw_splice_floor(limits, head_seq);
    drop_until(&log->ops, floor);
    size_t kept = 0;
    for (size_t i = 0; i < log->origin_count; i++) {
        struct gw_splice_origin *origin = log->origins[i];
        if (origin->last_seq <= floor) {
            free_origin(log, origin);
            continue;
        }
        size_t before = gw_splice_list_length(&origin->unseen);
        drop_until(&origin->unseen, floor);
        *log->open_ops -= before - gw_splice_list_length(&origin->unseen);
        log->origins[kept++] = origin;
    }
    log->origin_count = kept;
}

bool gw_splice_log_is_empty(const struct gw_splice_log *log) { return gw_splice_list_length(&log->ops) == 0 && log->origin_count == 0; }
