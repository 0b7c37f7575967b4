/* record.h — the stored form of one group commit: its events, and for each command its key and answer. JSON text, so that every spine can hold and
 * every operator can read it. Pure; any thread. */
#ifndef GW_HUB_RECORD_H
#define GW_HUB_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "hub/event.h"

struct gw_error;

#define GW_KEY_BYTES 16
/* What the events and keys of one record may take as text: what spines must hold, less the record's head. */
#define GW_RECORD_MAX_BYTES 1499000

/* value: a command's key (digest of actor and command id), its body's digest and its answer */
struct gw_record_key {
    uint8_t key[GW_KEY_BYTES];
    uint8_t body[GW_KEY_BYTES];
    const char *answer; /* JSON text; borrowed when writing, owned by the record when parsed */
    size_t answer_length;
};

/* Writing is incremental: begin, events and keys in any order, end. */
struct gw_record_writer {
    struct gw_buffer events; /* comma-separated */
    struct gw_buffer keys;
    size_t event_count, key_count;
};
void gw_record_writer_init(struct gw_record_writer *writer);
void gw_record_writer_fini(struct gw_record_writer *writer);
void gw_record_write_event(struct gw_record_writer *writer, const struct gw_event *event);
void gw_record_write_key(struct gw_record_writer *writer, const struct gw_record_key *key);
size_t gw_record_writer_bytes(const struct gw_record_writer *writer);
/* value: how far a writer has come */
struct gw_record_mark {
    size_t event_bytes, key_bytes, event_count, key_count;
};
struct gw_record_mark gw_record_writer_mark(const struct gw_record_writer *writer);
/* Takes back what was written behind the mark, and with it a failure. */
void gw_record_writer_rewind(struct gw_record_writer *writer, const struct gw_record_mark *mark);
bool gw_record_writer_has_failed(const struct gw_record_writer *writer);
/* Appends the whole record to `out`. GW_ENOMEM when any step lacked memory. */
int gw_record_write_end(struct gw_record_writer *writer, uint64_t epoch, uint64_t nonce, uint64_t first_seq, struct gw_buffer *out);

/* value: a parsed record; everything in it is owned */
struct gw_record {
    uint64_t epoch, nonce, first_seq;
    struct gw_event_list events;
    struct gw_record_key *keys;
    size_t key_count;
    struct gw_json *document; /* the text that keys[].answer point into */
};
/* GW_EINVAL record_damaged: not what the writer makes, nor JSON perhaps; GW_ENOMEM. *out is empty then. */
int gw_record_parse(const char *text, size_t length, struct gw_record *out, struct gw_error *err);
void gw_record_fini(struct gw_record *record);

#endif
