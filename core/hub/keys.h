/* keys.h — the idempotency index of one run: which command ids have taken effect, for the whole retention. The keys of the log's recent part are held whole;
 * older ones lie in sealed pages in the spine, each behind a Bloom filter kept here, so a new command id almost never costs a read and an
 * old one is never forgotten. The filters grow with the history, so they are not part of a checkpoint but lie beside it, and a run that is only
 * read never loads them. Lives on the run's owner; no I/O: the owner fetches the page or the filters that a look-up asks for. */
#ifndef GW_HUB_KEYS_H
#define GW_HUB_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/record.h"

struct gw_keys;
struct gw_error;
struct gw_buffer;

struct gw_keys *gw_keys_create(const uint8_t seed[16]);
void gw_keys_destroy(struct gw_keys *keys);

/* The key of a command: SHA-256 of actor and command id, cut. */
void gw_keys_digest(const char *actor_id, const char *command_id, uint8_t out[GW_KEY_BYTES]);

enum gw_keys_answer { GW_KEYS_NEW, GW_KEYS_KNOWN, GW_KEYS_ASK_PAGE, GW_KEYS_ASK_FILTERS };
/* value */
struct gw_keys_entry {
    uint8_t body[GW_KEY_BYTES];
    uint64_t seq;       /* first seq of the record that holds the answer; 0 while it is not durable */
    const char *answer; /* NULL when it must be read from the record; borrowed until the next change */
    size_t answer_length;
};
/* KNOWN fills *entry. ASK_PAGE: the page with seq *page_seq may hold it: fetch it, gw_keys_offer_page, ask again; as long as the same key is asked for, each
 * page is asked for once. ASK_FILTERS: likewise the filters put under *page_seq, by gw_keys_load. */
enum gw_keys_answer gw_keys_find(struct gw_keys *keys, const uint8_t key[GW_KEY_BYTES], struct gw_keys_entry *entry, uint64_t *page_seq);
/* Remembers a recent key. `record_seq` as in gw_keys_entry. Copies the answer while the recent part holds it. */
int gw_keys_add(struct gw_keys *keys, const struct gw_record_key *key, uint64_t record_seq);
size_t gw_keys_recent_count(const struct gw_keys *keys);

/* As gw_keys_find among the recent alone. */
bool gw_keys_find_recent(const struct gw_keys *keys, const uint8_t key[GW_KEY_BYTES], struct gw_keys_entry *entry);

/* Sealing takes two steps, since the recent keys must not go before the spine holds their page. Begin writes them all into one page text appended to `page`, to be
 * put under `seq`, and a filter over them, which gw_keys_save saves along. End: the page is stored, or is not. */
int gw_keys_seal_begin(struct gw_keys *keys, uint64_t seq, struct gw_buffer *page);
bool gw_keys_is_sealing(const struct gw_keys *keys, uint64_t seq);
void gw_keys_seal_end(struct gw_keys *keys, bool is_stored);
/* A fetched page; kept in a small cache. When several processes write one run, the page of a seq is whose it was first, and may begin later than the one made here:
 * it tells where, and the page before it is asked for next. GW_EINVAL: damaged. */
int gw_keys_offer_page(struct gw_keys *keys, uint64_t seq, const char *page, size_t length, struct gw_error *err);
/* The filters as bytes, to be put under a checkpoint's seq. */
int gw_keys_save(const struct gw_keys *keys, struct gw_buffer *out);
/* Nothing is sealed yet: what is lies under `seq` and has to be loaded before a look-up among it, and before sealing. */
void gw_keys_expect(struct gw_keys *keys, uint64_t seq);
/* That seq, or 0: the filters are here. */
uint64_t gw_keys_expected_seq(const struct gw_keys *keys);
/* What gw_keys_save wrote. Fails without having taken any of it: GW_EINVAL damaged · GW_ENOMEM. */
int gw_keys_load(struct gw_keys *keys, const char *bytes, size_t length, struct gw_error *err);

#endif
