/* loader.h — folds a run from the spine: newest readable checkpoint at or below a target, then the records behind it. Used to open a run and to answer what it was
 * like at an earlier cursor. Asynchronous, bounded memory (one read of records at a time); lives on the run's owner. */
#ifndef GW_HUB_LOADER_H
#define GW_HUB_LOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct gw_hub;
struct gw_keys;
struct gw_run_key;
struct gw_state;
struct gw_loader;

/* value: what was found. state and keys (NULL unless asked for) become the callback's. */
struct gw_loaded {
    struct gw_state *state;
    struct gw_keys *keys;
    uint64_t epoch, tail_seq, floor_seq, checkpoint_seq, bytes_since_checkpoint;
    int64_t last_ts_ms;
};

struct gw_loader_opts {
    struct gw_hub *hub;
    const struct gw_run_key *run;
    uint64_t at_seq; /* fold up to here; UINT64_MAX = everything */
    bool wants_keys;
    bool wants_filters; /* with the filters of what the keys have sealed: a checkpoint whose filters cannot be read is passed over */
    /* Once, never inside gw_loader_start: status 0 or GW_E… with err. The loader is gone when it returns. */
    void (*done)(void *arg, int status, struct gw_loaded *loaded, const struct gw_error *err);
    void *arg;
};
struct gw_loader *gw_loader_start(const struct gw_loader_opts *opts);

#endif
