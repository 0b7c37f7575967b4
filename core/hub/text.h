/* text.h — the text of one block: UTF-8 in chunks of at most 2 KiB with their code point counts, so that a splice into a megabyte
 * moves a chunk and not the text. Positions and lengths count code points unless they say bytes. Owns its chunks; an empty text
 * owns nothing. Embedded by blocks; one thread. */
#ifndef GW_HUB_TEXT_H
#define GW_HUB_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct gw_buffer;
struct gw_error;
struct gw_splice;
struct gw_text_chunk;
struct gw_text_undo;

/* value: read `bytes` and `points`, change only through the functions; zeroed memory is an empty text */
struct gw_text {
    struct gw_text_chunk *chunks;
    uint32_t chunk_count, chunk_capacity;
    size_t bytes, points;
};

/* value: the text of an insertion */
struct gw_text_piece {
    const char *text; /* valid UTF-8, borrowed */
    size_t bytes;
    size_t points;
};
/* Counts the points of valid UTF-8 (asserted). */
struct gw_text_piece gw_text_piece(const char *text, size_t bytes);

void gw_text_fini(struct gw_text *text);

/* Removes splice->del points at splice->at and puts `ins` (of splice->ins points) there. *undo (NULL: not wanted) receives the way back.
 * GW_EINVAL (splice_out_of_range): at + del lies behind the end; the message tells both. GW_ENOMEM. On failure nothing has changed. */
int gw_text_splice(struct gw_text *text, const struct gw_splice *splice, const struct gw_text_piece *ins, struct gw_text_undo **undo,
                   struct gw_error *err);
/* Undoes the newest splice that has not been undone, given its own undo; needs no memory. Frees `undo`, as gw_text_undo_free does. */
void gw_text_revert(struct gw_text *text, struct gw_text_undo *undo /* taken */);
void gw_text_undo_free(struct gw_text_undo *undo); /* NULL is fine */

/* Appends points [at, at + count) to `out`, clipped at the end. */
void gw_text_read(const struct gw_text *text, size_t at, size_t count, struct gw_buffer *out);
void gw_text_write(const struct gw_text *text, struct gw_buffer *out);
/* Visits the text in order as pieces of whole code points; stops at the first non-zero answer and returns it. For scanners that
 * need no copy. */
int gw_text_each(const struct gw_text *text, int (*visit)(void *arg, const char *bytes, size_t length), void *arg);
/* Heap bytes held. */
size_t gw_text_memory(const struct gw_text *text);

#endif
