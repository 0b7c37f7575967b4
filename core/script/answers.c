#include "script/answers.h"

#include <string.h>

#include "base/alloc.h"
#include "base/map.h"

/* What an entry costs beside its text: itself, and what a map needs for it. */
#define ENTRY_BYTES 128

struct entry {
    enum gw_answer_kind kind;
    size_t length;
    char text[];
};

/* Two halves: what is asked for moves to the young one; when that is full it becomes the old one, and what was left in the old one is forgotten. */
struct half {
    struct gw_map *map; /* digest → entry, owned */
    size_t bytes;
};

struct gw_answers {
    struct half young, old;
    size_t half_bytes;
};

struct gw_answers *gw_answers_create(const uint8_t seed[16], size_t max_bytes)
{
    struct gw_answers *answers = gw_alloc(sizeof *answers);
    answers->young.map = gw_map_create(seed);
    answers->old.map = gw_map_create(seed);
    answers->half_bytes = max_bytes / 2;
    return answers;
}

static void empty(struct half *half)
{
    size_t cursor = 0, length;
    const void *key;
    void *entry;
    while (gw_map_next(half->map, &cursor, &key, &length, &entry)) {
        gw_map_remove(half->map, key, length);
        gw_free(entry);
    }
    half->bytes = 0;
}

void gw_answers_destroy(struct gw_answers *answers)
{
    if (!answers)
        return;
    empty(&answers->young);
    empty(&answers->old);
    gw_map_destroy(answers->young.map);
    gw_map_destroy(answers->old.map);
    gw_free(answers);
}

static void turn(struct gw_answers *answers)
{
    struct half full = answers->young;
    empty(&answers->old);
    answers->young = answers->old;
    answers->old = full;
}

static void add(struct gw_answers *answers, const uint8_t *key, struct entry *entry /* taken */)
{
    size_t bytes = ENTRY_BYTES + entry->length;
    if (answers->young.bytes + bytes > answers->half_bytes)
        turn(answers);
    if (gw_map_put(answers->young.map, key, GW_SHA256_BYTES, entry, NULL))
        gw_free(entry);
    else
        answers->young.bytes += bytes;
}

bool gw_answers_find(struct gw_answers *answers, const uint8_t key[GW_SHA256_BYTES], struct gw_answer *out)
{
    struct entry *entry = gw_map_get(answers->young.map, key, GW_SHA256_BYTES);
    if (!entry) {
        entry = gw_map_remove(answers->old.map, key, GW_SHA256_BYTES);
        if (!entry)
            return false;
        answers->old.bytes -= ENTRY_BYTES + entry->length;
        add(answers, key, entry);
        entry = gw_map_get(answers->young.map, key, GW_SHA256_BYTES);
    }
    if (entry)
        *out = (struct gw_answer){entry->kind, entry->text, entry->length};
    return entry != NULL;
}

void gw_answers_put(struct gw_answers *answers, const uint8_t key[GW_SHA256_BYTES], const struct gw_answer *answer)
{
    if (ENTRY_BYTES + answer->length > answers->half_bytes)
        return;
    struct entry *entry = gw_try_grow(NULL, sizeof *entry + answer->length + 1, 1);
    if (!entry)
        return;
    entry->kind = answer->kind;
    entry->length = answer->length;
    if (answer->length)
        memcpy(entry->text, answer->text, answer->length);
    entry->text[answer->length] = '\0';
    add(answers, key, entry);
}

size_t gw_answers_bytes(const struct gw_answers *answers) { return answers->young.bytes + answers->old.bytes; }

void gw_answers_shed(struct gw_answers *answers)
{
    if (answers->old.bytes == 0)
        turn(answers);
    empty(&answers->old);
}
