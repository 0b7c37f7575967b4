/* checkpoint.h — a run's state as the spine keeps it: a head chunk and the state's chunks. Pure. */
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
int gw_checkpoint_write(const struct gw_state *state, uint64_t epoch, int64_t last_ts_ms, struct gw_checkpoint_chunks *out,
                        struct gw_error *err);
/* Fills state, epoch, checkpoint_seq and last_ts_ms. GW_EINVAL checkpoint_damaged. */
int gw_checkpoint_read(const struct gw_spine_get *stored, struct gw_loaded *loaded, struct gw_error *err);
/* What was asked for under a checkpoint's seq: the filters of the idempotency index that belong to it. GW_EINVAL: there are none, or they are damaged ·
 * else the status of the request, or GW_ENOMEM. */
int gw_checkpoint_read_filters(const struct gw_spine_get *stored, struct gw_keys *keys, struct gw_error *err);

#endif
