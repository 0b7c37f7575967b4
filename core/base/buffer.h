/* buffer.h — a growable byte buffer with a maximum. Appends after a failure do nothing; `has_failed` is sticky and is
 * checked once at the end, so encoders need no check per append. One thread at a time. */
#ifndef GW_BASE_BUFFER_H
#define GW_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* value; read `data` and `length` freely, write only through the functions */
struct gw_buffer {
    char *data;
    size_t length;
    size_t capacity;
    size_t max_bytes; /* 0 = no maximum */
    bool has_failed;  /* out of memory or over max_bytes */
};

void gw_buffer_init(struct gw_buffer *b, size_t max_bytes);
void gw_buffer_fini(struct gw_buffer *b);
/* Empties it and clears has_failed; keeps the memory. */
void gw_buffer_reset(struct gw_buffer *b);
void gw_buffer_append(struct gw_buffer *b, const void *bytes, size_t length);
void gw_buffer_append_text(struct gw_buffer *b, const char *text);
void gw_buffer_append_char(struct gw_buffer *b, char c);
void gw_buffer_append_u64(struct gw_buffer *b, uint64_t value); /* decimal */
void gw_buffer_append_i64(struct gw_buffer *b, int64_t value);  /* decimal */
void gw_buffer_appendf(struct gw_buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* JSON string literal with quotes; escapes only what RFC 8259 section 7 requires. `text` is valid UTF-8. */
void gw_buffer_append_json_string(struct gw_buffer *b, const char *text, size_t length);
/* Room for `length` more bytes at the returned address, or NULL; commit with gw_buffer_commit. */
char *gw_buffer_reserve(struct gw_buffer *b, size_t length);
void gw_buffer_commit(struct gw_buffer *b, size_t length);
/* Cuts it to its first `length` bytes, of which it has as many, and clears has_failed. */
void gw_buffer_truncate(struct gw_buffer *b, size_t length);
/* Removes the first `length` bytes. */
void gw_buffer_consume(struct gw_buffer *b, size_t length);
/* Moves the memory out to the caller (gw_free); the buffer is empty afterwards. Adds a NUL after the bytes. */
char *gw_buffer_take(struct gw_buffer *b, size_t *length);

#endif
