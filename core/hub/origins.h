/* origins.h — how far each open client session has come: the last n of every origin, so that its next command must be n + 1. Holds the most
 * recent GW_ORIGINS_MAX; the longest silent one is forgotten first, and must then begin again under a new name. Decided by what was folded
 * alone, so every node forgets alike. Owned by the run's state; one thread. Not the edit contexts of texts: those are splice_context.h. */
#ifndef GW_HUB_ORIGINS_H
#define GW_HUB_ORIGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_journal;
struct gw_origin;
struct gw_origins;

#define GW_ORIGINS_MAX 8192

/* `seed` is for hashing only. `journal` is the state's, borrowed. */
struct gw_origins *gw_origins_create(const uint8_t seed[16], struct gw_journal *journal);
void gw_origins_destroy(struct gw_origins *origins);

/* The last n folded; 0 for an unknown origin. */
int64_t gw_origins_last(const struct gw_origins *origins, const char *name);
/* `name` has come to `n`, and is now the most recent. GW_ENOMEM has changed nothing. Undone by the journal. */
int gw_origins_note(struct gw_origins *origins, const char *name, int64_t n);
/* Forgets what is over GW_ORIGINS_MAX; does nothing while the journal is open. To be called when it was closed. */
void gw_origins_trim(struct gw_origins *origins);
/* From the longest silent to the most recent; start with NULL; NULL at the end. */
const struct gw_origin *gw_origins_next(const struct gw_origins *origins, const struct gw_origin *after);
const char *gw_origin_name(const struct gw_origin *origin);
int64_t gw_origin_n(const struct gw_origin *origin);

#endif
