/* replay_follower.h — a subscriber that holds nothing but what its stream told it: folds the text of one block, remembers the last id, can
 * be cut and resumes from there. Lives on the session's thread. A frame that does not fit what it holds is counted as broken and never
 * repaired silently. */
#ifndef GW_APP_REPLAY_FOLLOWER_H
#define GW_APP_REPLAY_FOLLOWER_H

#include "app/client_stream.h"
#include "app/replay_scope.h"
#include "app/replay_text.h"

enum { GW_REPLAY_ID_MAX = 1024 };

enum gw_replay_verdict { GW_REPLAY_EXACT, GW_REPLAY_RESET, GW_REPLAY_FRESH, GW_REPLAY_RETRY, GW_REPLAY_VERDICT_COUNT };

/* value: sums over all followers */
struct gw_replay_follow_counts {
    uint64_t frames, patches, checkpoints, ends, broken;
    uint64_t verdicts[GW_REPLAY_VERDICT_COUNT];
    char first_trouble[280]; /* reason of a broken frame or of the last end that nobody asked for */
};

struct gw_replay_follower {
    struct gw_client_stream stream; /* first: callbacks get it */
    unsigned index;
    struct gw_replay_text text;
    char last_id[GW_REPLAY_ID_MAX];
    uint64_t reopen_ns; /* when to connect; 0: not waiting */
};

/* value; one for all followers */
struct gw_replay_followers {
    struct gw_client_stream_host host;
    const struct gw_replay_scope *scope;
    struct gw_replay_follower *items;
    size_t count;
    struct gw_replay_follow_counts counts;
};

void gw_replay_followers_init(struct gw_replay_followers *all, const struct gw_replay_scope *scope, size_t count, int epoll);
void gw_replay_followers_fini(struct gw_replay_followers *all);
/* Opens those that are due. */
void gw_replay_followers_open_due(struct gw_replay_followers *all, uint64_t now_ns);
/* Cuts the connection at once, wherever in a frame it is, and connects again after `pause_ns`. */
void gw_replay_follower_cut(struct gw_replay_follower *follower, uint64_t now_ns, uint64_t pause_ns);

#endif
