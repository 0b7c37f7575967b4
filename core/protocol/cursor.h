/* cursor.h — sealed stream cursors: AES-128-SIV (RFC 5297) without a nonce, so equal positions give equal text; the run key is the
 * associated data, so that a cursor of another run opens nothing. A ring holds prepared cipher contexts: it belongs to one thread;
 * gw_cursor_ring_dup makes another thread's. Keys are zeroed on destroy. Knows no meaning of its fields: whether a position is still served
 * is the caller's question. */
#ifndef GW_PROTOCOL_CURSOR_H
#define GW_PROTOCOL_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_error;
struct gw_run_key;
struct gw_cursor_ring;

#define GW_CURSOR_CANVASES_MAX 16
#define GW_CURSOR_KEY_BYTES    32
#define GW_CURSOR_KEYS_MAX     16
/* Sealed text with its NUL. */
#define GW_CURSOR_TEXT_MAX 228

/* value */
struct gw_cursor {
    uint64_t epoch, class_id, seq;
    uint8_t encoder_version;
    uint8_t canvas_count;                           /* 0 = the run's timeline */
    uint64_t canvas_digest[GW_CURSOR_CANVASES_MAX]; /* strictly ascending */
};

/* Sets the canvas digests from ids, in any order, repetitions allowed; count ≤ GW_CURSOR_CANVASES_MAX (asserted). */
void gw_cursor_set_canvases(struct gw_cursor *cursor, const char *const *ids, size_t count);
/* `cursor` carries every canvas that `wanted` does; a timeline covers everything. */
bool gw_cursor_covers(const struct gw_cursor *cursor, const struct gw_cursor *wanted);

/* `text`: base64url keys of 32 bytes, separated by commas, white space around them allowed. The first seals, all open. GW_EINVAL
 * (bad_seal_keys); the message names the position, never a key. */
int gw_cursor_ring_parse(const char *text, struct gw_cursor_ring **out, struct gw_error *err);
/* From one key: for tests and for a key that the process made itself. NULL when memory is gone. */
struct gw_cursor_ring *gw_cursor_ring_create(const uint8_t key[GW_CURSOR_KEY_BYTES]);
/* An equal ring for another thread. NULL when memory is gone. Not while `ring` is in use elsewhere. */
struct gw_cursor_ring *gw_cursor_ring_dup(const struct gw_cursor_ring *ring);
void gw_cursor_ring_destroy(struct gw_cursor_ring *ring);

/* Writes NUL-terminated base64url text and returns its length. Never fails: the cipher works in memory that the ring has (asserted). */
size_t gw_cursor_seal(struct gw_cursor_ring *ring, const struct gw_run_key *run, const struct gw_cursor *cursor,
                      char out[GW_CURSOR_TEXT_MAX]);
/* 0, or GW_EINVAL: garbled, of another run, or sealed with a key that the ring has not. */
int gw_cursor_open(struct gw_cursor_ring *ring, const struct gw_run_key *run, const char *text, size_t length, struct gw_cursor *out);

#endif
