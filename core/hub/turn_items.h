/* turn_items.h — the inside of a turn: what it touched, in the order in which it did; for turn.c and turn_plan.c alone. */
#ifndef GW_HUB_TURN_ITEMS_H
#define GW_HUB_TURN_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "hub/turn.h"

struct gw_map;
struct gw_runs;

enum gw_turn_kind { GW_TURN_TOKEN, GW_TURN_PROP, GW_TURN_VIS, GW_TURN_PLACE, GW_TURN_TEXT, GW_TURN_BLOCK };

struct gw_turn_item {
    struct gw_turn_item *next;      /* touched first after this one */
    struct gw_turn_item *neighbour; /* of the same block */
    enum gw_turn_kind kind;
    char canvas_id[GW_ID_MAX + 1], block_id[GW_ID_MAX + 1]; /* "" for a Token */
    char *name;                                             /* of a Token or property; owned, else NULL */
    size_t number;                                          /* as they were first touched */

    /* a field: */
    bool is_own;            /* the turn wrote it last; else another did, after it */
    struct gw_json *before; /* what stood when the turn began to be its last writer; NULL: nothing. A place: {parent, after} */

    /* a text: */
    struct gw_runs *runs; /* NULL: too many pieces */

    /* a block that the turn made or took away: */
    bool is_made, is_taken, is_foreign; /* foreign: another has touched it since */
    struct gw_json *content;            /* taken: as it stood; NULL: too large to be kept */
    size_t taken_at;                    /* which event of the turn took it */
};

struct gw_turn {
    struct gw_turn_key key;
    struct gw_map *by_path;
    struct gw_map *by_block; /* the newest item of each block */
    struct gw_turn_item *first, **last;
    size_t event_count, item_count;
    bool is_undone;
};

/* NULL when it was not touched. `name` is read for Tokens and properties alone. */
struct gw_turn_item *gw_turn_find(const struct gw_turn *turn, enum gw_turn_kind kind, const char *canvas_id, const char *block_id,
                                  const char *name);
/* The items of the block, the newest first: begins with NULL. */
struct gw_turn_item *gw_turn_block_items(const struct gw_turn *turn, const char *canvas_id, const char *block_id);

#endif
