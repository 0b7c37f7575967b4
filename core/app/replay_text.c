#include "app/replay_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void gw_replay_text_init(struct gw_replay_text *text) { *text = (struct gw_replay_text){0}; }

void gw_replay_text_fini(struct gw_replay_text *text)
{
    gw_free(text->points);
    *text = (struct gw_replay_text){0};
}

size_t gw_replay_text_count(const struct gw_replay_text *text) { return text->capacity - (text->gap_end - text->gap_start); }

static uint32_t point_at(const struct gw_replay_text *text, size_t index)
{
    return text->points[index < text->gap_start ? index : index + (text->gap_end - text->gap_start)];
}

static void move_gap(struct gw_replay_text *text, size_t to)
{
    uint32_t *points = text->points;
    if (to < text->gap_start) {
        size_t count = text->gap_start - to;
        memmove(points + text->gap_end - count, points + to, count * sizeof points[0]);
        text->gap_end -= count;
        text->gap_start = to;
    } else if (to > text->gap_start) {
        size_t count = to - text->gap_start;
        memmove(points + text->gap_start, points + text->gap_end, count * sizeof points[0]);
        text->gap_start += count;
        text->gap_end += count;
    }
}

static void widen_gap(struct gw_replay_text *text, size_t wanted)
{
    size_t gap = text->gap_end - text->gap_start;
    if (gap >= wanted) {
        return;
    }
    size_t tail = text->capacity - text->gap_end;
    size_t capacity = (text->capacity + wanted) * 2 + 1024;
    uint32_t *grown = gw_try_grow(text->points, capacity, sizeof grown[0]);
    if (grown == NULL) {
        abort();
    }
    memmove(grown + capacity - tail, grown + text->gap_end, tail * sizeof grown[0]);
    text->points = grown;
    text->gap_end = capacity - tail;
    text->capacity = capacity;
}

/* Decodes one code point of valid UTF-8 and steps over it. */
static uint32_t next_point(const unsigned char **at)
{
    const unsigned char *p = *at;
    if (p[0] < 0x80) {
        *at = p + 1;
        return p[0];
    }
    int more = p[0] >= 0xF0 ? 3 : p[0] >= 0xE0 ? 2 : 1;
    uint32_t point = p[0] & (0x3Fu >> more);
    for (int i = 1; i <= more; i++) {
        point = point << 6 | (p[i] & 0x3Fu);
    }
    *at = p + more + 1;
    return point;
}

static void insert(struct gw_replay_text *text, const char *ins, size_t length)
{
    const unsigned char *p = (const unsigned char *)ins;
    const unsigned char *end = p + length;
    widen_gap(text, length); /* never more code points than bytes */
    while (p < end) {
        text->points[text->gap_start++] = next_point(&p);
    }
}

void gw_replay_text_set(struct gw_replay_text *text, const char *bytes, size_t length)
{
    text->gap_start = 0;
    text->gap_end = text->capacity;
    insert(text, bytes, length);
}

bool gw_replay_text_splice(struct gw_replay_text *text, size_t at, size_t del, const char *ins, size_t ins_length)
{
    size_t count = gw_replay_text_count(text);
    if (at > count || del > count - at) {
        return false;
    }
    move_gap(text, at);
    text->gap_end += del;
    insert(text, ins, ins_length);
    return true;
}

size_t gw_replay_text_difference(const struct gw_replay_text *a, const struct gw_replay_text *b)
{
    size_t i = 0;
    size_t shorter = gw_replay_text_count(a) < gw_replay_text_count(b) ? gw_replay_text_count(a) : gw_replay_text_count(b);
    while (i < shorter && point_at(a, i) == point_at(b, i)) {
        i++;
    }
    return i;
}

bool gw_replay_text_equal(const struct gw_replay_text *a, const struct gw_replay_text *b)
{
    size_t count = gw_replay_text_count(a);
    return count == gw_replay_text_count(b) && gw_replay_text_difference(a, b) == count;
}
