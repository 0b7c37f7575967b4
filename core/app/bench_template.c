#include "app/bench_template.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"

enum place { PLACE_TEXT, PLACE_SUBSCRIBER, PLACE_CHANNEL, PLACE_PUBLISHER, PLACE_SEQ, PLACE_TS, PLACE_PAYLOAD, PLACE_UNIQUE, PLACE_BEARER };

static const struct {
    const char *name;
    enum place place;
} places[] = {
    {"{i}", PLACE_SUBSCRIBER}, {"{ch}", PLACE_CHANNEL},      {"{p}", PLACE_PUBLISHER},   {"{seq}", PLACE_SEQ},
    {"{ts}", PLACE_TS},        {"{payload}", PLACE_PAYLOAD}, {"{unique}", PLACE_UNIQUE}, {"{bearer}", PLACE_BEARER},
};

struct part {
    enum place place;
    const char *text;
    size_t length;
};

struct gw_bench_template {
    char *source;
    size_t part_count;
    struct part parts[];
};

/* The place whose name stands at `text`, and the length of that name; PLACE_TEXT when none does. */
static enum place place_at(const char *text, size_t *length)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        *length = strlen(places[i].name);
        if (strncmp(text, places[i].name, *length) == 0) {
            return places[i].place;
        }
    }
    *length = 1;
    return PLACE_TEXT;
}

struct gw_bench_template *gw_bench_template_create(const char *text)
{
    /* One place needs three characters, so there are at most as many parts as characters, plus the tail. */
    size_t max_parts = strlen(text) + 1;
    struct gw_bench_template *t = gw_alloc(sizeof *t + max_parts * sizeof t->parts[0]);
    t->source = gw_strdup(text);
    for (const char *p = t->source; *p != '\0';) {
        size_t length;
        enum place place = place_at(p, &length);
        struct part *last = t->part_count > 0 ? &t->parts[t->part_count - 1] : NULL;
        if (place == PLACE_TEXT && last != NULL && last->place == PLACE_TEXT) {
            last->length++;
        } else {
            t->parts[t->part_count++] = (struct part){place, p, length};
        }
        p += length;
    }
    return t;
}

void gw_bench_template_destroy(struct gw_bench_template *t)
{
    if (t != NULL) {
        gw_free(t->source);
        gw_free(t);
    }
}

/* Ten digits: a request's length is then the same for every message, and so is the frame's. */
static void append_unique(const struct gw_bench_values *v, struct gw_buffer *out)
{
    gw_buffer_appendf(out, "%s-%010llu", v->tag, (unsigned long long)v->unique);
}

static void append_place(enum place place, const struct gw_bench_values *v, struct gw_buffer *out)
{
    switch (place) {
    case PLACE_SUBSCRIBER:
        gw_buffer_append_u64(out, v->subscriber);
        break;
    case PLACE_CHANNEL:
        gw_buffer_append_u64(out, v->channel);
        break;
    case PLACE_PUBLISHER:
        gw_buffer_append_u64(out, v->publisher);
        break;
    case PLACE_SEQ:
        gw_buffer_append_u64(out, v->seq);
        break;
    case PLACE_TS:
        gw_buffer_append_u64(out, v->ts_ns);
        break;
    case PLACE_PAYLOAD:
        gw_buffer_append(out, v->payload, v->payload_length);
        break;
    case PLACE_UNIQUE:
        append_unique(v, out);
        break;
    case PLACE_BEARER:
        gw_buffer_append_text(out, v->bearer);
        break;
    case PLACE_TEXT:
        break;
    }
}

void gw_bench_template_render(const struct gw_bench_template *t, const struct gw_bench_values *values, struct gw_buffer *out)
{
    for (size_t i = 0; i < t->part_count; i++) {
        const struct part *part = &t->parts[i];
        if (part->place == PLACE_TEXT) {
            gw_buffer_append(out, part->text, part->length);
        } else {
            append_place(part->place, values, out);
        }
    }
}
