#include "hub/ephemera.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

const char *gw_ephemeral_name(enum gw_ephemeral_kind kind) { return kind == GW_EPHEMERAL_PRESENCE ? "presence" : "gesture"; }

struct gw_ephemeral *gw_ephemeral_create(enum gw_ephemeral_kind kind, const char *actor_id, const char *bytes, size_t length)
{
    struct gw_ephemeral *frame = length <= UINT32_MAX ? gw_try_alloc(sizeof *frame + length) : NULL;
    if (!frame)
        return NULL;
    *frame = (struct gw_ephemeral){.kind = kind, .length = (uint32_t)length};
    gw_refs_init(&frame->refs);
    memcpy(frame->actor_id, actor_id, strlen(actor_id) + 1);
    memcpy(frame->bytes, bytes, length);
    return frame;
}

struct gw_ephemeral *gw_ephemeral_ref(struct gw_ephemeral *frame)
{
    gw_refs_add(&frame->refs);
    return frame;
}

void gw_ephemeral_unref(struct gw_ephemeral *frame)
{
    if (frame && gw_refs_drop(&frame->refs))
        gw_free(frame);
}

/* ---- one table ------------------------------------------------------------------------------------------------------------------------ */

static void drop_slots(struct gw_ephemera *table)
{
    for (size_t i = 0; i < table->count; i++)
        gw_ephemeral_unref(table->slots[i].frame);
    table->count = table->end_count = 0;
}

void gw_ephemera_fini(struct gw_ephemera *table)
{
    drop_slots(table);
    gw_free(table->slots);
    *table = (struct gw_ephemera){0};
}

static size_t index_of(const struct gw_ephemera *table, enum gw_ephemeral_kind kind, const char *actor_id)
{
    size_t i = 0;
    while (i < table->count && (table->slots[i].frame->kind != kind || strcmp(table->slots[i].frame->actor_id, actor_id) != 0))
        i++;
    return i;
}

static void remove_at(struct gw_ephemera *table, size_t i)
{
    table->end_count -= table->slots[i].frame->is_end;
    gw_ephemeral_unref(table->slots[i].frame);
    table->count--;
    memmove(table->slots + i, table->slots + i + 1, (table->count - i) * sizeof *table->slots);
}

static void forget_oldest_end(struct gw_ephemera *table)
{
    size_t i = 0;
    while (!table->slots[i].frame->is_end)
        i++;
    table->forgotten = table->slots[i].version;
    remove_at(table, i);
}

static int reserve(struct gw_ephemera *table, size_t capacity)
{
    if (capacity <= table->capacity)
        return GW_OK;
    size_t wanted = table->capacity ? table->capacity * 2 : 8;
    wanted = wanted < capacity ? capacity : wanted;
    struct gw_ephemera_slot *grown = gw_try_grow(table->slots, wanted, sizeof *grown);
    if (!grown)
        return GW_ENOMEM;
    table->slots = grown;
    table->capacity = wanted;
    return GW_OK;
}

int gw_ephemera_put(struct gw_ephemera *table, struct gw_ephemeral *frame, uint64_t version)
{
    if (reserve(table, table->count + 1)) {
        gw_ephemeral_unref(frame);
        return GW_ENOMEM;
    }
    size_t old = index_of(table, frame->kind, frame->actor_id);
    if (old < table->count)
        remove_at(table, old);
    table->slots[table->count++] = (struct gw_ephemera_slot){frame, version};
    table->end_count += frame->is_end;
    table->version = version;
    if (table->end_count > GW_EPHEMERA_ENDS)
        forget_oldest_end(table);
    return GW_OK;
}

const struct gw_ephemeral *gw_ephemera_find(const struct gw_ephemera *table, enum gw_ephemeral_kind kind, const char *actor_id)
{
    size_t i = index_of(table, kind, actor_id);
    return i < table->count && !table->slots[i].frame->is_end ? table->slots[i].frame : NULL;
}

size_t gw_ephemera_after(const struct gw_ephemera *table, uint64_t version)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->slots[middle].version > version)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool gw_ephemera_has_forgotten(const struct gw_ephemera *table, uint64_t version) { return version > 0 && version < table->forgotten; }

/* ---- from one table to another ---------------------------------------------------------------------------------------------------------- */

bool gw_ephemera_collect(const struct gw_ephemera *table, uint64_t told, struct gw_ephemera_news *out)
{
    if (table->version <= told)
        return false;
    bool is_whole = told == 0 || gw_ephemera_has_forgotten(table, told);
    size_t first = is_whole ? 0 : gw_ephemera_after(table, told);
    struct gw_ephemera_slot *slots = gw_try_grow(NULL, table->count - first + 1, sizeof *slots);
    if (!slots)
        return false;
    *out = (struct gw_ephemera_news){.slots = slots, .version = table->version, .forgotten = table->forgotten, .is_whole = is_whole};
    for (size_t i = first; i < table->count; i++) {
        out->slots[out->count] = table->slots[i];
        gw_ephemeral_ref(out->slots[out->count++].frame);
    }
    return true;
}

int gw_ephemera_apply(struct gw_ephemera *table, struct gw_ephemera_news *news)
{
    int status = reserve(table, table->count + news->count);
    if (!status && news->is_whole)
        drop_slots(table);
    for (size_t i = 0; !status && i < news->count; i++)
        status = gw_ephemera_put(table, gw_ephemeral_ref(news->slots[i].frame), news->slots[i].version);
    if (!status) {
        table->version = news->version;
        table->forgotten = news->forgotten > table->forgotten ? news->forgotten : table->forgotten;
    }
    gw_ephemera_news_fini(news);
    return status;
}

void gw_ephemera_news_fini(struct gw_ephemera_news *news)
{
    for (size_t i = 0; i < news->count; i++)
        gw_ephemeral_unref(news->slots[i].frame);
    gw_free(news->slots);
    *news = (struct gw_ephemera_news){0};
}
