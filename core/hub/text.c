#include "hub/text.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "hub/transform.h"

enum {
    CHUNK_MAX = 2048,  /* bytes */
    CHUNK_FILL = 1400, /* a text that must be cut is cut here, so that typing on does not cut again at once */
    CHUNK_LEAST = 256  /* a smaller one is joined to its neighbour */
};

struct gw_text_chunk {
    char *data; /* owned; exactly `bytes`: never written after it was built */
    uint16_t bytes, points;
};

/* What a splice took out, and what it put there. Chunks are immutable, so the old ones can simply be put back. */
struct gw_text_undo {
    size_t first, new_count, old_count;
    struct gw_text_chunk old[];
};

/* value: a position inside the chunk array */
struct place {
    size_t chunk;  /* may be chunk_count */
    size_t points; /* before `chunk` */
    size_t byte;   /* within it */
};

struct gw_text_piece gw_text_piece(const char *text, size_t bytes)
{
    size_t bad_at;
    ptrdiff_t points = gw_utf8_count(text, bytes, &bad_at);
    assert(points >= 0);
    return (struct gw_text_piece){text, bytes, (size_t)points};
}

static void free_chunks(struct gw_text_chunk *chunks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        gw_free(chunks[i].data);
}

void gw_text_fini(struct gw_text *text)
{
    free_chunks(text->chunks, text->chunk_count);
    gw_free(text->chunks);
    memset(text, 0, sizeof *text);
}

static size_t byte_of(const struct gw_text_chunk *chunk, size_t point)
{
    return chunk->bytes == chunk->points ? point : gw_utf8_offset(chunk->data, chunk->bytes, point);
}

/* Where point `at` lies: within or at the end of a chunk rather than at the start of the next. */
static struct place find(const struct gw_text *text, size_t at)
{
    struct place p = {0};
    while (p.chunk < text->chunk_count && p.points + text->chunks[p.chunk].points < at)
        p.points += text->chunks[p.chunk++].points;
    if (p.chunk < text->chunk_count)
        p.byte = byte_of(&text->chunks[p.chunk], at - p.points);
    return p;
}

/* value: what replaces chunks [first, end): the three parts one after the other */
struct rebuild {
    size_t first, end;
    struct gw_text_piece parts[3];
};

static struct gw_text_piece part_of(const struct gw_text_chunk *chunk, size_t from, size_t to)
{
    if (from == 0 && to == chunk->bytes)
        return (struct gw_text_piece){chunk->data, chunk->bytes, chunk->points};
    return chunk->bytes == chunk->points ? (struct gw_text_piece){chunk->data + from, to - from, to - from}
                                         : gw_text_piece(chunk->data + from, to - from);
}

static size_t rebuilt_bytes(const struct rebuild *r) { return r->parts[0].bytes + r->parts[1].bytes + r->parts[2].bytes; }

/* A small rest takes in the neighbour, when its place among the parts is free. */
static void join_neighbour(const struct gw_text *text, struct rebuild *r)
{
    if (rebuilt_bytes(r) >= CHUNK_LEAST)
        return;
    if (r->parts[0].bytes == 0 && r->first > 0) {
        const struct gw_text_chunk *before = &text->chunks[--r->first];
        r->parts[0] = part_of(before, 0, before->bytes);
    } else if (r->parts[2].bytes == 0 && r->end < text->chunk_count) {
        const struct gw_text_chunk *after = &text->chunks[r->end++];
        r->parts[2] = part_of(after, 0, after->bytes);
    }
}

static struct rebuild plan_rebuild(const struct gw_text *text, const struct gw_splice *splice, const struct gw_text_piece *ins)
{
    struct place from = find(text, splice->at);
    struct place to = find(text, (size_t)splice->at + splice->del);
    struct rebuild r = {.first = from.chunk, .end = to.chunk};
    r.parts[1] = *ins;
    if (from.chunk < text->chunk_count)
        r.parts[0] = part_of(&text->chunks[from.chunk], 0, from.byte);
    if (to.chunk < text->chunk_count) {
        r.parts[2] = part_of(&text->chunks[to.chunk], to.byte, text->chunks[to.chunk].bytes);
        r.end++;
    }
    join_neighbour(text, &r);
    return r;
}

/* How many chunks the parts can take: cutting leaves at most three bytes of each chunk but the last unused. */
static size_t chunk_bound(const struct rebuild *r) { return rebuilt_bytes(r) / (CHUNK_FILL - 3) + 1; }

/* Copies up to `room` bytes of whole points out of the parts, consuming them. */
static size_t take_bytes(struct gw_text_piece parts[3], char *out, size_t room)
{
    size_t filled = 0;
    for (size_t i = 0; i < 3 && filled < room; i++) {
        size_t bytes = parts[i].bytes;
        if (bytes == 0)
            continue; /* its text may be NULL */
        if (bytes > room - filled)
            bytes = gw_utf8_floor(parts[i].text, room - filled);
        memcpy(out + filled, parts[i].text, bytes);
        filled += bytes;
        parts[i].text += bytes;
        parts[i].bytes -= bytes;
        if (parts[i].bytes)
            break;
    }
    return filled;
}

/* Builds the chunks that hold the parts; *count is how many, at most chunk_bound. */
static int build_chunks(const struct rebuild *r, struct gw_text_chunk *out, size_t *count)
{
    struct gw_text_piece parts[3] = {r->parts[0], r->parts[1], r->parts[2]};
    size_t left = rebuilt_bytes(r);
    bool is_one = left <= CHUNK_MAX;
    size_t points = r->parts[0].points + r->parts[1].points + r->parts[2].points;
    *count = 0;
    while (left) {
        size_t room = is_one || left < CHUNK_FILL ? left : CHUNK_FILL;
        char *data = gw_try_alloc(room);
        if (!data) {
            free_chunks(out, *count);
            return GW_ENOMEM;
        }
        size_t bytes = take_bytes(parts, data, room);
        assert(bytes > 0 && *count < chunk_bound(r));
        out[(*count)++] = (struct gw_text_chunk){data, (uint16_t)bytes, (uint16_t)(is_one ? points : gw_text_piece(data, bytes).points)};
        left -= bytes;
    }
    return 0;
}

static int reserve_chunks(struct gw_text *text, size_t count)
{
    if (count <= text->chunk_capacity)
        return 0;
    size_t capacity = count <= 1 ? 1 : count + count / 2;
    if (capacity > UINT32_MAX)
        return GW_ENOMEM;
    struct gw_text_chunk *chunks = gw_try_grow(text->chunks, capacity, sizeof *chunks);
    if (!chunks)
        return GW_ENOMEM;
    text->chunks = chunks;
    text->chunk_capacity = (uint32_t)capacity;
    return 0;
}

static void add_to_length(struct gw_text *text, const struct gw_text_chunk *chunks, size_t count, int sign)
{
    for (size_t i = 0; i < count; i++) {
        text->bytes = sign > 0 ? text->bytes + chunks[i].bytes : text->bytes - chunks[i].bytes;
        text->points = sign > 0 ? text->points + chunks[i].points : text->points - chunks[i].points;
    }
}

/* Puts `count` chunks in the place of [first, end); the capacity is there. */
static void replace_chunks(struct gw_text *text, size_t first, size_t end, const struct gw_text_chunk *chunks, size_t count)
{
    add_to_length(text, text->chunks + first, end - first, -1);
    size_t behind = text->chunk_count - end;
    if (behind)
        memmove(text->chunks + first + count, text->chunks + end, behind * sizeof *chunks);
    if (count)
        memcpy(text->chunks + first, chunks, count * sizeof *chunks);
    text->chunk_count = (uint32_t)(first + count + behind);
    add_to_length(text, text->chunks + first, count, 1);
}

static struct gw_text_undo *note_old(const struct gw_text *text, const struct rebuild *r)
{
    size_t count = r->end - r->first;
    struct gw_text_undo *undo = gw_try_alloc(sizeof *undo + count * sizeof *undo->old);
    if (!undo)
        return NULL;
    *undo = (struct gw_text_undo){.first = r->first, .old_count = count};
    if (count)
        memcpy(undo->old, text->chunks + r->first, count * sizeof *undo->old);
    return undo;
}

static int rebuild_text(struct gw_text *text, const struct rebuild *r, struct gw_text_undo **out)
{
    size_t capacity = chunk_bound(r);
    struct gw_text_chunk few[4], *chunks = few;
    int code = GW_ENOMEM;
    if (capacity > sizeof few / sizeof *few && !(chunks = gw_try_grow(NULL, capacity, sizeof *chunks)))
        return code;
    struct gw_text_undo *undo = note_old(text, r);
    if (!undo || reserve_chunks(text, text->chunk_count - (r->end - r->first) + capacity) || build_chunks(r, chunks, &undo->new_count))
        goto out;
    replace_chunks(text, r->first, r->end, chunks, undo->new_count);
    *out = undo;
    undo = NULL;
    code = 0;
out:
    gw_free(undo);
    if (chunks != few)
        gw_free(chunks);
    return code;
}

int gw_text_splice(struct gw_text *text, const struct gw_splice *splice, const struct gw_text_piece *ins, struct gw_text_undo **undo,
                   struct gw_error *err)
{
    assert(splice->ins == ins->points);
    if (splice->at > text->points || splice->del > text->points - splice->at)
        return gw_error_set(err, GW_EINVAL, "splice_out_of_range", "the splice ends at %zu, the text has %zu code points",
                            (size_t)splice->at + splice->del, text->points);
    struct rebuild r = plan_rebuild(text, splice, ins);
    struct gw_text_undo *made = NULL;
    if (rebuild_text(text, &r, &made))
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for %zu bytes of text", text->bytes + ins->bytes);
    if (undo)
        *undo = made;
    else
        gw_text_undo_free(made);
    return 0;
}

void gw_text_revert(struct gw_text *text, struct gw_text_undo *undo)
{
    size_t end = undo->first + undo->new_count;
    assert(end <= text->chunk_count && text->chunk_count - undo->new_count + undo->old_count <= text->chunk_capacity);
    struct gw_text_chunk *made = text->chunks + undo->first;
    add_to_length(text, made, undo->new_count, -1);
    free_chunks(made, undo->new_count);
    memset(made, 0, undo->new_count * sizeof *made);
    replace_chunks(text, undo->first, end, undo->old, undo->old_count);
    gw_free(undo);
}

void gw_text_undo_free(struct gw_text_undo *undo)
{
    if (!undo)
        return;
    free_chunks(undo->old, undo->old_count);
    gw_free(undo);
}

void gw_text_read(const struct gw_text *text, size_t at, size_t count, struct gw_buffer *out)
{
    if (at >= text->points)
        return;
    size_t end = count < text->points - at ? at + count : text->points;
    struct place from = find(text, at), to = find(text, end);
    for (size_t i = from.chunk; i <= to.chunk && i < text->chunk_count; i++) {
        size_t first = i == from.chunk ? from.byte : 0;
        size_t last = i == to.chunk ? to.byte : text->chunks[i].bytes;
        gw_buffer_append(out, text->chunks[i].data + first, last - first);
    }
}

void gw_text_write(const struct gw_text *text, struct gw_buffer *out)
{
    for (size_t i = 0; i < text->chunk_count; i++)
        gw_buffer_append(out, text->chunks[i].data, text->chunks[i].bytes);
}

int gw_text_each(const struct gw_text *text, int (*visit)(void *arg, const char *bytes, size_t length), void *arg)
{
    for (size_t i = 0; i < text->chunk_count; i++) {
        int answer = visit(arg, text->chunks[i].data, text->chunks[i].bytes);
        if (answer)
            return answer;
    }
    return 0;
}

size_t gw_text_memory(const struct gw_text *text) { return text->bytes + text->chunk_capacity * sizeof *text->chunks; }
