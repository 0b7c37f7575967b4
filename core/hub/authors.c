#include "hub/authors.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/map.h"
#include "hub/event.h"
#include "hub/state_internal.h"

struct writer {
    uint32_t number;
    char name[GW_ID_MAX + 1];
};

struct gw_authors {
    struct gw_map *by_key;   /* places */
    struct gw_map *by_name;  /* writers */
    struct writer **writers; /* [number - GW_WRITER_FIRST], owned */
    size_t writer_count, writer_capacity;
    struct gw_authored *first;
};

/* value: one event, and who wrote it */
struct feeding {
    struct gw_authors *authors;
    const struct gw_event *event;
    uint32_t writer;
    bool is_revision, is_undo;
};

struct gw_authors *gw_authors_create(const uint8_t seed[16])
{
    struct gw_authors *authors = gw_try_alloc(sizeof *authors);
    if (authors)
        *authors = (struct gw_authors){.by_key = gw_map_create(seed), .by_name = gw_map_create(seed)};
    return authors;
}

static void free_item(struct gw_authored *item)
{
    gw_free(item->stretches);
    gw_free(item->ever);
    gw_free(item);
}

void gw_authors_destroy(struct gw_authors *authors)
{
    if (!authors)
        return;
    while (authors->first) {
        struct gw_authored *item = authors->first;
        authors->first = item->next;
        free_item(item);
    }
    for (size_t i = 0; i < authors->writer_count; i++)
        gw_free(authors->writers[i]);
    gw_free(authors->writers);
    gw_map_destroy(authors->by_key);
    gw_map_destroy(authors->by_name);
    gw_free(authors);
}

/* ---- writers --------------------------------------------------------------------------------------------------------------------------- */

uint32_t gw_authors_find(const struct gw_authors *authors, const char *actor_id)
{
    const struct writer *writer = gw_map_get(authors->by_name, actor_id, strlen(actor_id));
    return writer ? writer->number : GW_WRITER_UNKNOWN;
}

const char *gw_authors_name(const struct gw_authors *authors, uint32_t writer) { return authors->writers[writer - GW_WRITER_FIRST]->name; }

static bool grow_writers(struct gw_authors *authors)
{
    if (authors->writer_count < authors->writer_capacity)
        return true;
    size_t capacity = authors->writer_capacity ? authors->writer_capacity * 2 : 8;
    struct writer **grown = gw_try_grow(authors->writers, capacity, sizeof *grown);
    if (!grown)
        return false;
    authors->writers = grown;
    authors->writer_capacity = capacity;
    return true;
}

uint32_t gw_authors_intern(struct gw_authors *authors, const char *actor_id)
{
    uint32_t known = gw_authors_find(authors, actor_id);
    size_t length = strlen(actor_id);
    if (known != GW_WRITER_UNKNOWN || length > GW_ID_MAX || !grow_writers(authors))
        return known;
    struct writer *writer = gw_try_alloc(sizeof *writer);
    if (!writer || gw_map_put(authors->by_name, actor_id, length, writer, NULL)) {
        gw_free(writer);
        return GW_WRITER_UNKNOWN;
    }
    writer->number = (uint32_t)authors->writer_count + GW_WRITER_FIRST;
    memcpy(writer->name, actor_id, length + 1);
    authors->writers[authors->writer_count++] = writer;
    return writer->number;
}

/* ---- places ---------------------------------------------------------------------------------------------------------------------------- */

/* The kind, then the three names, each with its NUL: none of them holds one. */
static struct gw_authored *new_item(enum gw_authored_kind kind, const char *const names[3], size_t *key_length)
{
    size_t lengths[3], size = 1;
    for (size_t i = 0; i < 3; i++)
        size += lengths[i] = strlen(names[i]) + 1;
    struct gw_authored *item = gw_try_alloc(sizeof *item + size);
    if (!item)
        return NULL;
    *item = (struct gw_authored){.kind = kind};
    char *at = item->key;
    *at++ = (char)('0' + kind);
    const char **places[3] = {&item->canvas_id, &item->block_id, &item->name};
    for (size_t i = 0; i < 3; i++) {
        memcpy(at, names[i], lengths[i]);
        *places[i] = at;
        at += lengths[i];
    }
    *key_length = size;
    return item;
}

struct gw_authored *gw_authors_place(struct gw_authors *authors, enum gw_authored_kind kind, const char *canvas_id, const char *block_id,
                                     const char *name)
{
    size_t length;
    struct gw_authored *item = new_item(kind, (const char *const[]){canvas_id, block_id, name}, &length);
    struct gw_authored *known = item ? gw_map_get(authors->by_key, item->key, length) : NULL;
    if (known || !item || gw_map_put(authors->by_key, item->key, length, item, NULL)) {
        gw_free(item);
        return known;
    }
    item->next = authors->first;
    authors->first = item;
    return item;
}

struct gw_authored *gw_authors_next(const struct gw_authors *authors, const struct gw_authored *after)
{
    return after ? after->next : authors->first;
}

static bool has_ever(const struct gw_authored *item, uint32_t writer)
{
    for (size_t i = 0; i < item->ever_count; i++)
        if (item->ever[i] == writer)
            return true;
    return false;
}

int gw_authored_add_ever(struct gw_authored *item, uint32_t writer)
{
    if (writer < GW_WRITER_FIRST || has_ever(item, writer))
        return GW_OK;
    if (item->ever_count == item->ever_capacity) {
        size_t capacity = item->ever_capacity ? item->ever_capacity * 2 : 2;
        uint32_t *grown = gw_try_grow(item->ever, capacity, sizeof *grown);
        if (!grown)
            return GW_ENOMEM;
        item->ever = grown;
        item->ever_capacity = capacity;
    }
    item->ever[item->ever_count++] = writer;
    return GW_OK;
}

bool gw_authored_is_by(const struct gw_authored *item, size_t stretch, uint32_t writer)
{
    uint32_t by = item->stretches[stretch].writer;
    return by == writer || (by == GW_WRITER_ANY && has_ever(item, writer));
}

/* ---- stretches ------------------------------------------------------------------------------------------------------------------------- */

static int reserve(struct gw_authored *item, size_t more)
{
    if (item->count + more <= item->capacity)
        return GW_OK;
    size_t capacity = (item->count + more) * 2;
    struct gw_stretch *grown = gw_try_grow(item->stretches, capacity, sizeof *grown);
    if (!grown)
        return GW_ENOMEM;
    item->stretches = grown;
    item->capacity = capacity;
    return GW_OK;
}

int gw_authored_push(struct gw_authored *item, uint32_t points, uint32_t writer)
{
    if (reserve(item, 1))
        return GW_ENOMEM;
    item->stretches[item->count++] = (struct gw_stretch){points, writer};
    return GW_OK;
}

static void put_in(struct gw_authored *item, size_t index, struct gw_stretch stretch)
{
    memmove(&item->stretches[index + 1], &item->stretches[index], (item->count - index) * sizeof stretch);
    item->stretches[index] = stretch;
    item->count++;
}

static void take_out(struct gw_authored *item, size_t index, size_t count)
{
    memmove(&item->stretches[index], &item->stretches[index + count], (item->count - index - count) * sizeof *item->stretches);
    item->count -= count;
}

/* The index of the stretch that begins at point `at`; splits one, or says that those before it are of unknown writers. Takes up to one more
 * place, which is reserved. */
static size_t seek(struct gw_authored *item, uint32_t at)
{
    size_t i = 0;
    for (; at > 0 && i < item->count; i++) {
        struct gw_stretch *stretch = &item->stretches[i];
        if (stretch->points > at) {
            struct gw_stretch rest = {stretch->points - at, stretch->writer};
            stretch->points = at;
            put_in(item, i + 1, rest);
            return i + 1;
        }
        at -= stretch->points;
    }
    if (at > 0)
        put_in(item, i++, (struct gw_stretch){at, GW_WRITER_UNKNOWN});
    return i;
}

/* Two neighbours of one writer become one. */
static void join(struct gw_authored *item, size_t index)
{
    if (index == 0 || index >= item->count || item->stretches[index - 1].writer != item->stretches[index].writer)
        return;
    item->stretches[index - 1].points += item->stretches[index].points;
    take_out(item, index, 1);
}

static int splice(struct gw_authored *item, uint32_t at, uint32_t del, struct gw_stretch ins)
{
    if (reserve(item, 2))
        return GW_ENOMEM;
    size_t index = seek(item, at), gone = index;
    while (del > 0 && gone < item->count && item->stretches[gone].points <= del)
        del -= item->stretches[gone++].points;
    if (del > 0 && gone < item->count)
        item->stretches[gone].points -= del;
    take_out(item, index, gone - index);
    if (ins.points > 0)
        put_in(item, index, ins);
    join(item, index + 1);
    join(item, index);
    return GW_OK;
}

static uint64_t sum_points(const struct gw_authored *item)
{
    uint64_t points = 0;
    for (size_t i = 0; i < item->count; i++)
        points += item->stretches[i].points;
    return points;
}

/* ---- events ---------------------------------------------------------------------------------------------------------------------------- */

/* To whom goes what the event writes there. */
static int find_writer(const struct feeding *f, struct gw_authored *item, uint32_t *writer)
{
    bool is_anybodys = f->is_revision && item->ever_count > 0;
    *writer = is_anybodys ? GW_WRITER_ANY : f->writer;
    return is_anybodys ? GW_OK : gw_authored_add_ever(item, f->writer);
}

static int write_field(const struct feeding *f, enum gw_authored_kind kind, const char *block_id, const char *name)
{
    uint32_t writer;
    const char *canvas_id = kind == GW_AUTHORED_TOKEN ? "" : f->event->canvas_id;
    struct gw_authored *item = gw_authors_place(f->authors, kind, canvas_id, block_id, name);
    if (!item || find_writer(f, item, &writer))
        return GW_ENOMEM;
    item->count = 0;
    return gw_authored_push(item, 0, writer);
}

static int write_fields(const struct feeding *f, enum gw_authored_kind kind, const char *block_id, const struct gw_json *set)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    int status = GW_OK;
    while (!status && gw_json_is_object(set) && gw_json_next(set, &iterator, &name, &value))
        status = write_field(f, kind, block_id, name);
    return status;
}

static uint32_t count_points(const struct gw_json *value)
{
    size_t length = 0;
    const char *text = gw_json_is_string(value) ? gw_json_text(value, &length) : "";
    ptrdiff_t points = gw_utf8_count(text, length, NULL);
    return points > 0 && points <= INT32_MAX ? (uint32_t)points : 0;
}

static uint32_t read_points(const struct gw_json *value)
{
    return gw_json_is_int(value) && gw_json_int(value) >= 0 && gw_json_int(value) <= INT32_MAX ? (uint32_t)gw_json_int(value) : 0;
}

/* What an undo brings back whole was written as it was when it went. */
static int feed_insert(const struct feeding *f, const struct gw_json *op, const char *id)
{
    uint32_t writer, points = count_points(gw_json_get(op, "text"));
    struct gw_authored *item = gw_authors_place(f->authors, GW_AUTHORED_TEXT, f->event->canvas_id, id, "");
    if (!item || find_writer(f, item, &writer))
        return GW_ENOMEM;
    bool is_as_it_was = f->is_undo && writer == GW_WRITER_ANY && sum_points(item) == points;
    int status = GW_OK;
    if (!is_as_it_was) {
        item->count = 0;
        status = points > 0 ? gw_authored_push(item, points, writer) : GW_OK;
    }
    return status ? status : write_fields(f, GW_AUTHORED_PROP, id, gw_json_get(op, "props"));
}

static int feed_splice(const struct feeding *f, const struct gw_json *op, const char *id)
{
    struct gw_stretch ins = {.points = count_points(gw_json_get(op, "ins"))};
    struct gw_authored *item = gw_authors_place(f->authors, GW_AUTHORED_TEXT, f->event->canvas_id, id, "");
    if (!item || (ins.points > 0 && find_writer(f, item, &ins.writer)))
        return GW_ENOMEM;
    return splice(item, read_points(gw_json_get(op, "at")), read_points(gw_json_get(op, "del")), ins);
}

static int feed_op(const struct feeding *f, const struct gw_json *op)
{
    const char *name = gw_state_text_member(op, "op"), *id = gw_state_text_member(op, "id");
    if (!name || !id)
        return GW_OK;
    if (strcmp(name, "splice") == 0)
        return feed_splice(f, op, id);
    if (strcmp(name, "update") == 0)
        return write_fields(f, GW_AUTHORED_PROP, id, gw_json_get(op, "set"));
    return strcmp(name, "insert") == 0 ? feed_insert(f, op, id) : GW_OK;
}

int gw_authors_feed(struct gw_authors *authors, const struct gw_event *event, struct gw_error *err)
{
    bool has_context = gw_json_is_object(event->context);
    struct feeding f = {.authors = authors, .event = event};
    f.is_undo = has_context && gw_json_get(event->context, "undoes");
    f.is_revision = f.is_undo || (has_context && gw_json_get(event->context, "restores"));
    const struct gw_json *ops = event->type == GW_EVENT_STATE_PATCH && event->canvas_id[0] ? gw_json_get(event->data, "ops") : NULL;
    bool is_of_use = ops || event->type == GW_EVENT_TOKEN_PATCH;
    f.writer = is_of_use ? gw_authors_intern(authors, event->actor.id) : GW_WRITER_UNKNOWN;
    int status = is_of_use && f.writer == GW_WRITER_UNKNOWN ? GW_ENOMEM : GW_OK;
    if (!status && event->type == GW_EVENT_TOKEN_PATCH)
        status = write_fields(&f, GW_AUTHORED_TOKEN, "", gw_json_get(event->data, "set"));
    for (size_t i = 0; !status && i < gw_json_count(ops); i++)
        status = feed_op(&f, gw_json_at(ops, i));
    return status ? gw_error_set(err, status, "out_of_memory", "no memory for who wrote what") : GW_OK;
}

/* ---- forgetting ------------------------------------------------------------------------------------------------------------------------ */

static void forget_in(struct gw_authored *item, uint32_t writer)
{
    size_t kept = 0;
    for (size_t i = 0; i < item->count; i++)
        if (!gw_authored_is_by(item, i, writer))
            item->stretches[kept++] = item->stretches[i];
    item->count = kept;
    kept = 0;
    for (size_t i = 0; i < item->ever_count; i++)
        if (item->ever[i] != writer)
            item->ever[kept++] = item->ever[i];
    item->ever_count = kept;
}

void gw_authors_forget(struct gw_authors *authors, uint32_t writer)
{
    for (struct gw_authored *item = authors->first; item; item = item->next)
        forget_in(item, writer);
}
