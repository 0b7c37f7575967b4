/* replay_session.h — one replay from beginning to end on the calling thread: writer and followers on one epoll set, cuts at random moments,
 * and the comparison when all is written. Every wait has an end. */
#ifndef GW_APP_REPLAY_SESSION_H
#define GW_APP_REPLAY_SESSION_H

#include "app/bench_histogram.h"
#include "app/replay_follower.h"
#include "app/replay_writer.h"

/* value */
struct gw_replay_session_spec {
    const struct gw_replay_scope *scope;
    const struct gw_replay_trace *trace;
    const char *canvas_type, *tag;
    size_t in_flight_max, follower_count, cut_count;
    uint64_t seed;     /* of the random cuts */
    double patience_s; /* without any progress, then it gives up */
    bool shows_progress;
};

/* value */
struct gw_replay_result {
    struct gw_replay_write_counts write;
    struct gw_replay_follow_counts follow;
    struct gw_bench_histogram acks;
    size_t cuts, equal_followers;
    double written_s;     /* first edit to last acknowledgement */
    char difference[240]; /* where the first follower that differs does; "" when all are equal */
};

/* GW_ETIMEOUT: no progress for too long; GW_ESTATE: a command was refused for good. `out` is filled in either way. */
int gw_replay_session_run(const struct gw_replay_session_spec *spec, struct gw_replay_result *out, struct gw_error *err);

#endif
