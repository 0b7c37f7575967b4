/* hub_reader.h — a stream's reader in a world: takes bytes by whim, short writes and blocks included, may vanish and come back, and keeps all that it got. Afterwards
 * every connection is held against what is stored: nothing missing, nothing twice, nothing out of order, to the byte. */
#ifndef GW_SPEC_HUB_READER_H
#define GW_SPEC_HUB_READER_H

#include "base/buffer.h"
#include "hub/presence.h"
#include "hub/subscriber.h"
#include "support/hub_spine.h"

/* One connection. */
struct world_session {
    struct world_session *older;
    enum gw_start start;
    char cursor[GW_CURSOR_MAX];
    uint64_t number;
    size_t plan;
    struct gw_canvas_set set;
    bool must_be_exact; /* its cursor is good and in reach */
    bool is_switched;   /* its lens was switched: it goes on from a reset */
    bool is_refused;    /* by a retry */
    unsigned verdict_count;
    struct gw_buffer bytes;
    char ended[40];
};

struct world_reader {
    struct gw_subscriber subscriber; /* first */
    struct world_actor actor;
    struct world *world;
    char run_id[GW_ID_MAX + 1];
    size_t node, worker, plan;
    struct gw_canvas_set set;
    struct gw_arrival arrival; /* who it is; an empty id: nobody's */
    unsigned shorts, failures; /* how many of a thousand writes are short, or find the connection gone */
    bool is_stalled;           /* takes nothing until this is cleared */
    bool is_open, is_owed;     /* owed: a write was short, so that the socket will be writable */
    struct world_session *session;
};

void world_reader_init(struct world_reader *reader, struct world *world, const char *run_id, size_t plan);
/* Closes it and forgets all connections. */
void world_reader_fini(struct world_reader *reader);
/* Canvas ids, separated by blanks. */
void world_reader_canvases(struct world_reader *reader, const char *ids);

void world_reader_open(struct world_reader *reader, enum gw_start start, uint64_t number);
void world_reader_open_at(struct world_reader *reader, const char *cursor);
/* Its lens becomes another one, as by a change of policy; what follows is kept as a connection of its own. Where that cannot be, it is closed. */
void world_reader_switch(struct world_reader *reader, size_t plan);
void world_reader_close(struct world_reader *reader);
/* The id of the last whole frame that carried one, over all connections; false when there was none. */
bool world_reader_cursor(const struct world_reader *reader, char out[GW_CURSOR_MAX]);
/* All text of the present connection. */
const char *world_reader_text(struct world_reader *reader);

/* Holds every connection against the truth; one that is still open must have got everything up to `reach_seq`. */
void world_reader_check(const struct world_reader *reader, const struct world_truth *truth, uint64_t reach_seq);

#endif
