#include "hub/keys.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/map.h"

/* 20 bits and 10 probes a key: one false hit in about 10,000 per page, so a hundred pages cost one read in a hundred new commands. */
#define FILTER_BITS_PER_KEY 20
#define FILTER_PROBES       10
#define ENTRY_BYTES         (GW_KEY_BYTES + GW_KEY_BYTES + 8)
#define PAGE_HEAD           8 /* a page begins with the seq behind which its records lie */
#define CACHED_PAGES        4
#define LEVEL_KEYS          16384 /* of the first level */
#define LEVELS_MAX          24

struct recent {
    uint8_t key[GW_KEY_BYTES];
    uint8_t body[GW_KEY_BYTES];
    uint64_t seq;
    char *answer;
    size_t answer_length;
};

/* Over the keys of one page (seq: the page's), or over those of many pages (seq 0). */
struct filter {
    uint64_t seq;
    uint32_t byte_count;
    uint32_t key_count, key_capacity; /* of the second kind */
    uint8_t *bits;
};

struct cached_page {
    uint64_t seq, after_seq; /* seq 0: empty */
    uint8_t *entries;
    size_t count;
};

struct gw_keys {
    struct gw_map *recent;
    struct filter *filters; /* one a page, ascending by seq, each over the records behind the one before; there is room for one more */
    size_t filter_count;
    struct filter sealing; /* bits NULL: none */
    uint64_t expected_seq; /* of the filters that are not here yet; 0: they are */
    /* Over all sealed keys: each level holds twice as many as the one before, so a new command asks a handful of filters, however long the history; only
     * a hit goes on to the pages' own. */
    struct filter levels[LEVELS_MAX];
    size_t level_count;
    struct cached_page cache[CACHED_PAGES];
    unsigned next_slot;
    struct {
        uint8_t key[GW_KEY_BYTES];
        size_t filter_count, left; /* as it was, and how many filters are still to be asked */
        uint64_t seq;              /* the page of the last of them that was asked for; 0: none */
    } search;
};

struct gw_keys *gw_keys_create(const uint8_t seed[16])
{
    struct gw_keys *keys = gw_alloc(sizeof *keys);
    keys->recent = gw_map_create(seed);
    return keys;
}

static void drop_recent(struct gw_keys *keys, uint64_t up_to_seq)
{
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(keys->recent, &cursor, &key, &length, &value)) {
        struct recent *entry = value;
        if (entry->seq > up_to_seq || (entry->seq == 0 && up_to_seq != UINT64_MAX))
            continue;
        gw_map_remove(keys->recent, key, length);
        gw_free(entry->answer);
        gw_free(entry);
    }
}

static void drop_filters(struct gw_keys *keys)
{
    for (size_t i = 0; i < keys->filter_count; i++)
        gw_free(keys->filters[i].bits);
    for (size_t i = 0; i < keys->level_count; i++)
        gw_free(keys->levels[i].bits);
    keys->filter_count = keys->level_count = 0;
}

void gw_keys_destroy(struct gw_keys *keys)
{
    if (!keys)
        return;
    drop_recent(keys, UINT64_MAX);
    gw_map_destroy(keys->recent);
    drop_filters(keys);
    for (size_t i = 0; i < CACHED_PAGES; i++)
        gw_free(keys->cache[i].entries);
    gw_free(keys->sealing.bits);
    gw_free(keys->filters);
    gw_free(keys);
}

void gw_keys_digest(const char *actor_id, const char *command_id, uint8_t out[GW_KEY_BYTES])
{
    /* '/' is in neither alphabet, so the pair is unambiguous. */
    char text[2 * GW_ID_MAX + 2];
    size_t actor_length = strlen(actor_id), command_length = strlen(command_id);
    memcpy(text, actor_id, actor_length);
    text[actor_length] = '/';
    memcpy(text + actor_length + 1, command_id, command_length);
    uint8_t digest[GW_SHA256_BYTES];
    gw_sha256(text, actor_length + 1 + command_length, digest);
    memcpy(out, digest, GW_KEY_BYTES);
}

static uint64_t load_u64(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static void store_u64(uint8_t *bytes, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

/* Probes by double hashing over the digest itself, which is uniform already. */
static uint64_t probe(const uint8_t *key, unsigned i, uint64_t bit_count)
{
    return (load_u64(key) + i * (load_u64(key + 8) | 1)) % bit_count;
}

static void filter_add(struct filter *filter, const uint8_t *key)
{
    for (unsigned i = 0; i < FILTER_PROBES; i++) {
        uint64_t bit = probe(key, i, (uint64_t)filter->byte_count * 8);
        filter->bits[bit / 8] = (uint8_t)(filter->bits[bit / 8] | 1u << (bit % 8));
    }
}

static bool filter_admits(const struct filter *filter, const uint8_t *key)
{
    for (unsigned i = 0; i < FILTER_PROBES; i++) {
        uint64_t bit = probe(key, i, (uint64_t)filter->byte_count * 8);
        if (!(filter->bits[bit / 8] & 1u << (bit % 8)))
            return false;
    }
    return true;
}

static int compare_key(const void *a, const void *b) { return memcmp(a, b, GW_KEY_BYTES); }

static const struct cached_page *cached(const struct gw_keys *keys, uint64_t seq)
{
    for (size_t i = 0; i < CACHED_PAGES; i++)
        if (keys->cache[i].seq == seq)
            return &keys->cache[i];
    return NULL;
}

static bool may_be_sealed(const struct gw_keys *keys, const uint8_t *key)
{
    for (size_t i = 0; i < keys->level_count; i++)
        if (filter_admits(&keys->levels[i], key))
            return true;
    return false;
}

/* Walks back the pages from `seq` down to the records of the filter before. 1: found · 0: not · -1: keys->search.seq must be fetched. */
static int search_pages(struct gw_keys *keys, uint64_t seq, uint64_t down_to_seq, struct gw_keys_entry *entry)
{
    while (seq > down_to_seq) {
        const struct cached_page *page = cached(keys, seq);
        keys->search.seq = seq;
        if (!page)
            return -1;
        const uint8_t *found = page->count ? bsearch(keys->search.key, page->entries, page->count, ENTRY_BYTES, compare_key) : NULL;
        if (found) {
            *entry = (struct gw_keys_entry){.seq = load_u64(found + 2 * GW_KEY_BYTES)};
            memcpy(entry->body, found + GW_KEY_BYTES, GW_KEY_BYTES);
            return 1;
        }
        seq = page->after_seq;
    }
    keys->search.seq = 0;
    return 0;
}

/* A search that had to wait for a page goes on where it stood, so that pages which push each other out of the cache cannot hold it up. */
static void begin_search(struct gw_keys *keys, const uint8_t *key)
{
    bool goes_on =
        keys->search.seq != 0 && keys->search.filter_count == keys->filter_count && memcmp(keys->search.key, key, GW_KEY_BYTES) == 0;
    if (goes_on)
        return;
    memcpy(keys->search.key, key, GW_KEY_BYTES);
    keys->search.filter_count = keys->search.left = keys->filter_count;
    keys->search.seq = 0;
}

static enum gw_keys_answer find_sealed(struct gw_keys *keys, const uint8_t *key, struct gw_keys_entry *entry, uint64_t *page_seq)
{
    if (!may_be_sealed(keys, key))
        return GW_KEYS_NEW;
    begin_search(keys, key);
    for (; keys->search.left > 0; keys->search.left--) {
        size_t i = keys->search.left - 1;
        if (!filter_admits(&keys->filters[i], key))
            continue;
        uint64_t from_seq = keys->search.seq ? keys->search.seq : keys->filters[i].seq;
        int found = search_pages(keys, from_seq, i > 0 ? keys->filters[i - 1].seq : 0, entry);
        *page_seq = keys->search.seq;
        if (found < 0)
            return GW_KEYS_ASK_PAGE;
        keys->search.seq = 0;
        if (found > 0)
            return GW_KEYS_KNOWN;
    }
    return GW_KEYS_NEW;
}

bool gw_keys_find_recent(const struct gw_keys *keys, const uint8_t key[GW_KEY_BYTES], struct gw_keys_entry *entry)
{
    const struct recent *recent = gw_map_get(keys->recent, key, GW_KEY_BYTES);
    if (!recent)
        return false;
    *entry = (struct gw_keys_entry){.seq = recent->seq, .answer = recent->answer, .answer_length = recent->answer_length};
    memcpy(entry->body, recent->body, GW_KEY_BYTES);
    return true;
}

enum gw_keys_answer gw_keys_find(struct gw_keys *keys, const uint8_t key[GW_KEY_BYTES], struct gw_keys_entry *entry, uint64_t *page_seq)
{
    if (gw_keys_find_recent(keys, key, entry))
        return GW_KEYS_KNOWN;
    *page_seq = keys->expected_seq;
    return keys->expected_seq ? GW_KEYS_ASK_FILTERS : find_sealed(keys, key, entry, page_seq);
}

int gw_keys_add(struct gw_keys *keys, const struct gw_record_key *key, uint64_t record_seq)
{
    struct recent *entry = gw_map_get(keys->recent, key->key, GW_KEY_BYTES);
    if (entry) { /* it was pending and is now durable, or the log is being read again */
        entry->seq = record_seq;
        return GW_OK;
    }
    entry = gw_try_alloc(sizeof *entry);
    if (!entry)
        return GW_ENOMEM;
    memcpy(entry->key, key->key, GW_KEY_BYTES);
    memcpy(entry->body, key->body, GW_KEY_BYTES);
    entry->seq = record_seq;
    entry->answer_length = key->answer_length;
    entry->answer = gw_try_strndup(key->answer, key->answer_length);
    if (!entry->answer || gw_map_put(keys->recent, entry->key, GW_KEY_BYTES, entry, NULL)) {
        gw_free(entry->answer);
        gw_free(entry);
        return GW_ENOMEM;
    }
    return GW_OK;
}

size_t gw_keys_recent_count(const struct gw_keys *keys) { return gw_map_count(keys->recent); }

static uint8_t *make_bits(uint32_t byte_count)
{
    uint8_t *bits = gw_try_alloc(byte_count);
    if (bits)
        memset(bits, 0, byte_count);
    return bits;
}

static int reserve_filter(struct gw_keys *keys)
{
    struct filter *grown = gw_try_grow(keys->filters, keys->filter_count + 1, sizeof *grown);
    if (!grown)
        return GW_ENOMEM;
    keys->filters = grown;
    return GW_OK;
}

static int add_filter(struct gw_keys *keys, uint64_t seq, uint32_t byte_count, struct filter **out)
{
    uint8_t *bits = reserve_filter(keys) ? NULL : make_bits(byte_count);
    if (!bits)
        return GW_ENOMEM;
    *out = &keys->filters[keys->filter_count++];
    **out = (struct filter){.seq = seq, .byte_count = byte_count, .bits = bits};
    return GW_OK;
}

/* Levels with room for `count` more keys. */
static int make_room(struct gw_keys *keys, size_t count)
{
    struct filter *last = keys->level_count ? &keys->levels[keys->level_count - 1] : NULL;
    if (last && (last->key_capacity - last->key_count >= count || keys->level_count == LEVELS_MAX))
        return GW_OK;
    size_t capacity = last ? (size_t)last->key_capacity * 2 : LEVEL_KEYS;
    while (capacity < count)
        capacity *= 2;
    uint32_t byte_count = (uint32_t)(capacity * FILTER_BITS_PER_KEY / 8);
    uint8_t *bits = make_bits(byte_count);
    if (!bits)
        return GW_ENOMEM;
    keys->levels[keys->level_count++] = (struct filter){.byte_count = byte_count, .key_capacity = (uint32_t)capacity, .bits = bits};
    return GW_OK;
}

/* Writes the recent entries to `entries`, and their keys into the page's filter and the last level. */
static void collect(const struct gw_keys *keys, uint8_t *entries, struct filter *filter, struct filter *level)
{
    size_t cursor = 0, length, i = 0;
    const void *key;
    void *value;
    while (gw_map_next(keys->recent, &cursor, &key, &length, &value)) {
        const struct recent *recent = value;
        uint8_t *entry = entries + i++ * ENTRY_BYTES;
        memcpy(entry, recent->key, GW_KEY_BYTES);
        memcpy(entry + GW_KEY_BYTES, recent->body, GW_KEY_BYTES);
        store_u64(entry + 2 * GW_KEY_BYTES, recent->seq);
        filter_add(filter, recent->key);
        filter_add(level, recent->key);
        level->key_count++;
    }
}

static int begin_filter(struct gw_keys *keys, uint64_t seq, size_t count)
{
    uint32_t byte_count = (uint32_t)(count * FILTER_BITS_PER_KEY / 8 + 8);
    uint8_t *bits = reserve_filter(keys) ? NULL : make_bits(byte_count);
    if (!bits)
        return GW_ENOMEM;
    keys->sealing = (struct filter){.seq = seq, .byte_count = byte_count, .bits = bits};
    return GW_OK;
}

int gw_keys_seal_begin(struct gw_keys *keys, uint64_t seq, struct gw_buffer *page)
{
    assert(!keys->sealing.bits && !keys->expected_seq);
    size_t count = gw_map_count(keys->recent);
    uint8_t head[PAGE_HEAD], *entries = gw_try_grow(NULL, count ? count : 1, ENTRY_BYTES);
    if (!entries || make_room(keys, count) || begin_filter(keys, seq, count)) {
        gw_free(entries);
        return GW_ENOMEM;
    }
    /* Should the sealing fail, the level keeps keys that no page has, which costs a look at the pages and nothing else. */
    collect(keys, entries, &keys->sealing, &keys->levels[keys->level_count - 1]);
    qsort(entries, count, ENTRY_BYTES, compare_key);
    store_u64(head, keys->filter_count ? keys->filters[keys->filter_count - 1].seq : 0);
    gw_buffer_append(page, head, sizeof head);
    gw_buffer_append(page, entries, count * ENTRY_BYTES);
    gw_free(entries);
    if (page->has_failed)
        gw_keys_seal_end(keys, false);
    return page->has_failed ? GW_ENOMEM : GW_OK;
}

bool gw_keys_is_sealing(const struct gw_keys *keys, uint64_t seq) { return keys->sealing.bits && keys->sealing.seq == seq; }

void gw_keys_seal_end(struct gw_keys *keys, bool is_stored)
{
    assert(keys->sealing.bits);
    if (is_stored) {
        keys->filters[keys->filter_count++] = keys->sealing;
        drop_recent(keys, keys->sealing.seq);
    } else {
        gw_free(keys->sealing.bits);
    }
    keys->sealing = (struct filter){0};
}

static struct cached_page *slot_for(struct gw_keys *keys, uint64_t seq)
{
    for (size_t i = 0; i < CACHED_PAGES; i++)
        if (keys->cache[i].seq == seq)
            return &keys->cache[i];
    return &keys->cache[keys->next_slot++ % CACHED_PAGES];
}

int gw_keys_offer_page(struct gw_keys *keys, uint64_t seq, const char *page, size_t length, struct gw_error *err)
{
    if (length < PAGE_HEAD || (length - PAGE_HEAD) % ENTRY_BYTES != 0 || load_u64((const uint8_t *)page) >= seq)
        return gw_error_set(err, GW_EINVAL, "key_page_damaged", "a page of the idempotency index has %zu bytes", length);
    size_t bytes = length - PAGE_HEAD;
    uint8_t *entries = gw_try_alloc(bytes ? bytes : 1);
    if (!entries)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a page of the idempotency index");
    memcpy(entries, page + PAGE_HEAD, bytes);
    struct cached_page *slot = slot_for(keys, seq);
    gw_free(slot->entries);
    *slot = (struct cached_page){seq, load_u64((const uint8_t *)page), entries, bytes / ENTRY_BYTES};
    return GW_OK;
}

static void save_filter(const struct filter *filter, struct gw_buffer *out)
{
    uint8_t head[24];
    store_u64(head, filter->seq);
    store_u64(head + 8, filter->byte_count);
    store_u64(head + 16, (uint64_t)filter->key_count << 32 | filter->key_capacity);
    gw_buffer_append(out, head, sizeof head);
    gw_buffer_append(out, filter->bits, filter->byte_count);
}

int gw_keys_save(const struct gw_keys *keys, struct gw_buffer *out)
{
    for (size_t i = 0; i < keys->level_count; i++)
        save_filter(&keys->levels[i], out);
    for (size_t i = 0; i < keys->filter_count; i++)
        save_filter(&keys->filters[i], out);
    if (keys->sealing.bits)
        save_filter(&keys->sealing, out);
    return out->has_failed ? GW_ENOMEM : GW_OK;
}

static int load_filter(struct gw_keys *keys, const uint8_t *head)
{
    uint32_t byte_count = (uint32_t)load_u64(head + 8);
    uint64_t counts = load_u64(head + 16);
    struct filter *filter;
    if (load_u64(head) != 0) {
        if (add_filter(keys, load_u64(head), byte_count, &filter))
            return GW_ENOMEM;
    } else {
        uint8_t *bits = keys->level_count < LEVELS_MAX ? make_bits(byte_count) : NULL;
        if (!bits)
            return GW_ENOMEM;
        filter = &keys->levels[keys->level_count++];
        *filter = (struct filter){
            .byte_count = byte_count, .key_count = (uint32_t)(counts >> 32), .key_capacity = (uint32_t)counts, .bits = bits};
    }
    memcpy(filter->bits, head + 24, byte_count);
    return GW_OK;
}

static int load_filters(struct gw_keys *keys, const uint8_t *at, const uint8_t *end, struct gw_error *err)
{
    while (at < end) {
        if (end - at < 24 || load_u64(at + 8) > (uint64_t)(end - at - 24) || load_u64(at + 8) == 0)
            return gw_error_set(err, GW_EINVAL, "key_filters_damaged", "the filters of the idempotency index are cut short");
        if (load_filter(keys, at))
            return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the filters of the idempotency index");
        at += 24 + load_u64(at + 8);
    }
    return GW_OK;
}

void gw_keys_expect(struct gw_keys *keys, uint64_t seq)
{
    assert(keys->filter_count == 0);
    keys->expected_seq = seq;
}

uint64_t gw_keys_expected_seq(const struct gw_keys *keys) { return keys->expected_seq; }

int gw_keys_load(struct gw_keys *keys, const char *bytes, size_t length, struct gw_error *err)
{
    assert(keys->filter_count == 0);
    int status = load_filters(keys, (const uint8_t *)bytes, (const uint8_t *)bytes + length, err);
    /* What is sealed for a checkpoint comes last; without it, ids that took effect would seem new. */
    if (!status && keys->expected_seq && (!keys->filter_count || keys->filters[keys->filter_count - 1].seq != keys->expected_seq))
        status = gw_error_set(err, GW_EINVAL, "key_filters_damaged", "the filters of the idempotency index do not reach their seq");
    if (status)
        drop_filters(keys);
    else
        keys->expected_seq = 0;
    return status;
}
