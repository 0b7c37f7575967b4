/* replay_writer.h — sends the edits of a trace as block.splice commands over one pipelined connection, in order, many in flight; a command
 * that was not acknowledged is sent again, byte for byte, until it is. Lives on the session's thread. A refusal that no repetition can mend
 * ends it. */
#ifndef GW_APP_REPLAY_WRITER_H
#define GW_APP_REPLAY_WRITER_H

#include <stdbool.h>

#include "app/bench_histogram.h"
#include "app/client_wire.h"
#include "app/replay_scope.h"
#include "app/replay_trace.h"

struct gw_replay_writer;

/* value; everything in it outlives the writer */
struct gw_replay_writer_spec {
    const struct gw_replay_scope *scope;
    const struct gw_replay_trace *trace;
    const char *canvas_type;
    const char *tag; /* beginning of all command ids and origins: repeats of one replay share it */
    size_t in_flight_max;
    int epoll;
};

/* value */
struct gw_replay_write_counts {
    uint64_t acknowledged; /* edits */
    uint64_t sent;         /* commands, with repetitions */
    uint64_t out_of_order, busy, rebased, disconnects;
    uint64_t last_progress_ns;
    bool is_prepared; /* canvas and block stand */
    bool is_done;
    bool has_failed; /* `failure` says why */
    char failure[240];
};

struct gw_replay_writer *gw_replay_writer_create(const struct gw_replay_writer_spec *spec);
void gw_replay_writer_destroy(struct gw_replay_writer *writer);
/* Sends what may be sent now. */
void gw_replay_writer_pump(struct gw_replay_writer *writer, uint64_t now_ns);
const struct gw_replay_write_counts *gw_replay_writer_counts(const struct gw_replay_writer *writer);
const struct gw_bench_histogram *gw_replay_writer_acks(const struct gw_replay_writer *writer);

#endif
