/* plan.h — a lens plan: what one class of actors may see and write. Declarative, immutable, reference-counted; crosses threads. Two actors whose plans are equal
 * share a class, and so a feed, a block cache and every encoded byte. Made by gw_plan_compile (plan_compile.h); docs/contract.md, "The lens plan", is its shape.
 *
 * A plan has layers: its own, the ceiling that its tenant may not exceed, and the bearer's Token globs. Each query answers yes when every layer does. Queries
 * are pure, allocate nothing and cost some string comparisons; those that a plan admits as a whole cost a flag. */
#ifndef GW_HUB_PLAN_H
#define GW_HUB_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/refs.h"

struct gw_json;
struct gw_plan_layer;
struct gw_plan_list;

struct gw_plan {
    struct gw_refs refs;
    uint64_t class_id;                /* hash of tenant, canonical plan, ceiling, bearer's globs, transform, encoder version; never 0 */
    bool sees_all;                    /* no read query answers no, nothing is redacted or transformed: projection may copy */
    bool writes_all;                  /* no write query answers no */
    bool sees_history;                /* earliest, -n, @commit, /v1/events, ?at= */
    bool sees_sidecars;               /* snapshot_created, properties of type sidecar */
    bool sees_presence;               /* sees others and may show itself */
    char actor_id[GW_ID_MAX + 1];     /* "self" of its rules; "" when no rule says so, and then actors may share it */
    const char *transform;            /* name, or NULL */
    struct gw_plan_layer *layer;      /* its own; NULL: reads and writes nothing but what the two flags above grant */
    struct gw_plan *ceiling;          /* owned reference, or NULL */
    struct gw_plan_list *token_globs; /* of the bearer; NULL: it does not narrow */
    size_t bytes;                     /* of memory, about; without the ceiling */
};

struct gw_plan *gw_plan_ref(struct gw_plan *plan);
void gw_plan_unref(struct gw_plan *plan); /* NULL is fine */

/* value: what a rule may ask about a block, node or message; borrowed. NULL and "" are alike: it has none */
struct gw_plan_thing {
    const char *kind;
    const char *vis;
    const char *author_kind, *author_id;
    const char *canvas_type;
    const struct gw_json *sidecars; /* array: names of the kind's properties that are sidecars; NULL: none */
};

/* ---- reading ---- */

bool gw_plan_admits_event(const struct gw_plan *plan, const char *type); /* may events of this type reach it at all */
bool gw_plan_reads_token(const struct gw_plan *plan, const char *key);
bool gw_plan_reads_block(const struct gw_plan *plan, const struct gw_plan_thing *block);
/* May some block of that kind on that type of canvas be read (or written), whatever its label and author? */
bool gw_plan_reads_kind(const struct gw_plan *plan, const char *kind, const char *canvas_type);
bool gw_plan_writes_kind(const struct gw_plan *plan, const char *kind, const char *canvas_type);
/* Of a block that it reads: is the property shown (neither redacted nor a sidecar that it may not see), is the text? */
bool gw_plan_shows_prop(const struct gw_plan *plan, const struct gw_plan_thing *block, const char *name);
bool gw_plan_shows_text(const struct gw_plan *plan, const struct gw_plan_thing *block);
bool gw_plan_reads_node(const struct gw_plan *plan, const struct gw_plan_thing *node);
bool gw_plan_reads_graph(const struct gw_plan *plan); /* some node at all */
bool gw_plan_reads_chat(const struct gw_plan *plan);  /* some message at all */
bool gw_plan_reads_message(const struct gw_plan *plan, const struct gw_plan_thing *message);
bool gw_plan_reads_logs(const struct gw_plan *plan);
/* Reads every block with all that is in it (the state_hash is for those); every Token. */
bool gw_plan_reads_whole_canvas(const struct gw_plan *plan);
bool gw_plan_reads_all_tokens(const struct gw_plan *plan);
bool gw_plan_reads_all_messages(const struct gw_plan *plan);

/* ---- writing: what is not read is not written either ---- */

bool gw_plan_admits_command(const struct gw_plan *plan, const char *type);
bool gw_plan_writes_token(const struct gw_plan *plan, const char *key);
bool gw_plan_writes_block(const struct gw_plan *plan, const struct gw_plan_thing *block);
bool gw_plan_writes_graph(const struct gw_plan *plan);
bool gw_plan_writes_chat(const struct gw_plan *plan);
bool gw_plan_writes_logs(const struct gw_plan *plan);

/* ---- for people ---- */

/* The plan's own layer as it was understood: every member present, borrowed. NULL for a plan without one. */
const struct gw_json *gw_plan_source(const struct gw_plan *plan);

enum gw_plan_ask {
    GW_PLAN_READ_TOKEN,
    GW_PLAN_WRITE_TOKEN,
    GW_PLAN_READ_BLOCK,
    GW_PLAN_WRITE_BLOCK,
    GW_PLAN_SHOW_PROP,
    GW_PLAN_SHOW_TEXT,
    GW_PLAN_READ_NODE,
    GW_PLAN_WRITE_GRAPH,
    GW_PLAN_READ_MESSAGE,
    GW_PLAN_READ_CHAT, /* some message at all */
    GW_PLAN_WRITE_CHAT,
    GW_PLAN_READ_LOGS,
    GW_PLAN_WRITE_LOGS,
    GW_PLAN_EVENT,
    GW_PLAN_COMMAND,
    GW_PLAN_HISTORY,
    GW_PLAN_VISION,
    GW_PLAN_PRESENCE
};

/* value: where a decision stands */
struct gw_plan_reason {
    bool is_admitted;
    const char *layer; /* "plan" | "ceiling" | "bearer" */
    char pointer[64];  /* JSON pointer into that layer's plan: "/tokens/read/1"; the list itself when no entry of it decided */
};
/* Which entry decides: of the layer that refuses, else of the plan's own. `name` is the key, property, event or command type; `thing` what a rule looks
 * at; either may be NULL where the question has none. The answer is that of the query of the same name. */
void gw_plan_explain(const struct gw_plan *plan, enum gw_plan_ask ask, const char *name, const struct gw_plan_thing *thing,
                     struct gw_plan_reason *out);

#endif
