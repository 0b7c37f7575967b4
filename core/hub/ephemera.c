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
    for (size_t i = 0; i < table->slot_count; i++)
        gw_ephemeral_unref(table->slots[i].frame);
    table->slot_count = table->count = table->end_count = table->first_end = 0;
}

void gw_ephemera_fini(struct gw_ephemera *table)
{
    drop_slots(table);
    gw_free(table->slots);
    gw_free(table->names);
    *table = (struct gw_ephemera){0};
}

static int compare(const struct gw_ephemeral *frame, enum gw_ephemeral_kind kind, const char *actor_id)
{
    int order = strcmp(frame->actor_id, actor_id);
    return order ? order : (frame->kind > kind) - (frame->kind < kind);
}

/* Where the name is, or belongs. */
static size_t place_of(const struct gw_ephemera *table, enum gw_ephemeral_kind kind, const char *actor_id, bool *is_there)
{
    size_t low = 0, high = table->count;
    *is_there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(table->names[middle].frame, kind, actor_id);
        *is_there |= order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void leave_slot(struct gw_ephemera *table, uint64_t version)
{
    struct gw_ephemera_slot *slot = &table->slots[gw_ephemera_after(table, version - 1)];
    table->end_count -= slot->frame->is_end;
    gw_ephemeral_unref(slot->frame);
    slot->frame = NULL;
}

static void forget_oldest_end(struct gw_ephemera *table)
{
    bool is_there;
    while (!table->slots[table->first_end].frame || !table->slots[table->first_end].frame->is_end)
        table->first_end++;
    const struct gw_ephemeral *end = table->slots[table->first_end].frame;
    size_t place = place_of(table, end->kind, end->actor_id, &is_there);
    table->forgotten = table->slots[table->first_end].version;
    leave_slot(table, table->forgotten);
    table->count--;
    memmove(table->names + place, table->names + place + 1, (table->count - place) * sizeof *table->names);
}

/* Those that newer ones have taken the place of go. */
static void compact(struct gw_ephemera *table)
{
    size_t kept = 0, before = 0;
    for (size_t i = 0; i < table->slot_count; i++) {
        if (!table->slots[i].frame)
            continue;
        before += i < table->first_end;
        table->slots[kept++] = table->slots[i];
    }
    table->slot_count = kept;
    table->first_end = before;
}

static int grow(struct gw_ephemera_slot **slots, size_t *capacity, size_t needed)
{
    if (needed <= *capacity)
        return GW_OK;
    size_t wanted = *capacity ? *capacity * 2 : 8;
    wanted = wanted < needed ? needed : wanted;
    struct gw_ephemera_slot *grown = gw_try_grow(*slots, wanted, sizeof *grown);
    if (!grown)
        return GW_ENOMEM;
    *slots = grown;
    *capacity = wanted;
    return GW_OK;
}

/* Half of the slots are in use, or there are more of them: so each is moved about once. */
static int reserve(struct gw_ephemera *table, size_t more)
{
    if (table->slot_count + more > table->slot_capacity && table->slot_count >= 2 * table->count)
        compact(table);
    int status = grow(&table->names, &table->capacity, table->count + more);
    return status ? status : grow(&table->slots, &table->slot_capacity, table->slot_count + more);
}

int gw_ephemera_put(struct gw_ephemera *table, struct gw_ephemeral *frame, uint64_t version)
{
    bool is_there;
    if (reserve(table, 1)) {
        gw_ephemeral_unref(frame);
        return GW_ENOMEM;
    }
    size_t place = place_of(table, frame->kind, frame->actor_id, &is_there);
    if (is_there) {
        leave_slot(table, table->names[place].version);
    } else {
        memmove(table->names + place + 1, table->names + place, (table->count - place) * sizeof *table->names);
        table->count++;
    }
    table->names[place] = table->slots[table->slot_count++] = (struct gw_ephemera_slot){frame, version};
    table->end_count += frame->is_end;
    table->version = version;
    if (table->end_count > GW_EPHEMERA_ENDS)
        forget_oldest_end(table);
    return GW_OK;
}

const struct gw_ephemeral *gw_ephemera_find(const struct gw_ephemera *table, enum gw_ephemeral_kind kind, const char *actor_id)
{
    bool is_there;
    size_t place = place_of(table, kind, actor_id, &is_there);
    return is_there && !table->names[place].frame->is_end ? table->names[place].frame : NULL;
}

size_t gw_ephemera_after(const struct gw_ephemera *table, uint64_t version)
{
    size_t low = 0, high = table->slot_count;
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
    struct gw_ephemera_slot *slots = gw_try_grow(NULL, table->slot_count - first + 1, sizeof *slots);
    if (!slots)
        return false;
    *out = (struct gw_ephemera_news){.slots = slots, .version = table->version, .forgotten = table->forgotten, .is_whole = is_whole};
    for (size_t i = first; i < table->slot_count; i++) {
        if (!table->slots[i].frame)
            continue;
        out->slots[out->count] = table->slots[i];
        gw_ephemeral_ref(out->slots[out->count++].frame);
    }
    return true;
}

int gw_ephemera_apply(struct gw_ephemera *table, struct gw_ephemera_news *news)
{
    int status = reserve(table, news->count);
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
