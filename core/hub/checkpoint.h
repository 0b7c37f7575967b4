/* checkpoint.h — a run's state as the spine keeps it: a head chunk, the state's chunks, and the filters of the idempotency index. Pure. */
#ifndef GW_HUB_CHECKPOINT_H
#define GW_HUB_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

struct gw_error;
struct gw_keys;
struct gw_loaded;
struct gw_spine_get;
struct gw_state;

/* value: chunks, each owned */
struct gw_checkpoint_chunks {
    char **items;
    size_t *lengths;
    size_t count, capacity, bytes;
};
void gw_checkpoint_chunks_fini(struct gw_checkpoint_chunks *chunks);

/* Appends a copy of one chunk; `arg` is the struct gw_checkpoint_chunks. The emit of gw_state_save. */
int gw_checkpoint_emit(void *arg, const char *bytes, size_t length);
int gw_checkpoint_write(const struct gw_state *state, const struct gw_keys *keys, uint64_t epoch, int64_t last_ts_ms,
                        struct gw_checkpoint_chunks *out, struct gw_error *err);
/* Fills state, keys (when loaded->keys is set), epoch, checkpoint_seq and last_ts_ms. GW_EINVAL checkpoint_damaged. */
int gw_checkpoint_read(const struct gw_spine_get *stored, struct gw_loaded *loaded, struct gw_error *err);

#endif
