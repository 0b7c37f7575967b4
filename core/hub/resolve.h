/* resolve.h — one command being judged, for resolve*.c alone. Nothing here changes the state. A handler returns 0 after having emitted the
 * events that it makes, or a negative GW_E… with err->id and err->path set. */
#ifndef GW_HUB_RESOLVE_H
#define GW_HUB_RESOLVE_H

#include <stdbool.h>

#include "hub/command.h"
#include "hub/event.h"
#include "hub/state_internal.h"

struct gw_manifest;

#define GW_REMOVE_MAX         8192 /* blocks that one block.remove may take with it: all of them are named in its event's facets */
#define GW_SHOWN_CHILDREN_MAX 8192 /* children of a block whose vis changes: all of them are named in its event's facets */
#define GW_CONDITIONS_MAX     64   /* members of `if` */
#define GW_MESSAGE_MAX        1000 /* code points of a commit message */

/* value */
struct gw_resolve {
    const struct gw_state *state;
    const struct gw_command *command;
    const struct gw_resolve_context *context;
    struct gw_canvas *canvas; /* the envelope's, when the command is about one; else NULL */
    struct gw_event_list *out;
    struct gw_error *err;
};

/* Puts `path` before err->path and returns err->code: `gw_error_set(r->err, …); return gw_resolve_at(r, "/args/id");` */
int gw_resolve_at(const struct gw_resolve *r, const char *path);
int gw_resolve_no_memory(const struct gw_resolve *r);

/* ---- arguments (resolve_args.c) ---- */

/* value: the object that a member is read from, and its pointer in the command */
struct gw_resolve_in {
    const struct gw_json *object;
    const char *path;
};
struct gw_resolve_in gw_resolve_args(const struct gw_resolve *r); /* the command's arguments */

/* Every member's name is in `names` (ended by NULL). unknown_member. */
int gw_resolve_members(const struct gw_resolve *r, struct gw_resolve_in in, const char *const *names);
/* An id; *out is NULL when it is absent or null, which is missing_arg if it is required. bad_id. */
int gw_resolve_id(const struct gw_resolve *r, struct gw_resolve_in in, const char *name, bool is_required, const char **out);
/* An object, array or string; *out is NULL when it is absent. bad_shape. */
int gw_resolve_typed(const struct gw_resolve *r, struct gw_resolve_in in, const char *name, bool (*is_type)(const struct gw_json *value),
                     struct gw_json **out);
/* A whole number from 0 to 2^31 - 1. missing_arg, bad_shape, out_of_range. */
int gw_resolve_count(const struct gw_resolve *r, const char *name, uint32_t *out);
/* The block that member `name` names. unknown_block, block_removed, and errors of gw_resolve_id. */
int gw_resolve_block(const struct gw_resolve *r, struct gw_resolve_in in, const char *name, struct gw_block **out);

/* Was a block of that id, which the author could read, removed within the edit window, and stands none there now? */
bool gw_resolve_was_removed(const struct gw_resolve *r, const char *id);
/* May the author write it? not_allowed; what it does not read was refused before, as unknown. */
int gw_resolve_writable(const struct gw_resolve *r, const struct gw_block *block, const char *path);
int gw_resolve_refuse_write(const struct gw_resolve *r, const char *path); /* not_allowed */

/* ---- events (resolve_event.c) ---- */

/* Adds the event. All three trees are taken, also on failure; `data` NULL means that memory ran out while building it (void: that there is
 * none). Joins the command's origin and n to `context`, which may be NULL. */
int gw_resolve_emit(const struct gw_resolve *r, enum gw_event_type type, struct gw_json *data, struct gw_json *facets,
                    struct gw_json *context);
/* Makes the event just emitted one of the canvas `canvas_id`, "" = run-wide, whatever the command's envelope names. GW_OK. */
int gw_resolve_redirect(const struct gw_resolve *r, const char *canvas_id);
/* The command changes nothing: a void event if its place in its origin's order counts, else no event. `context` is taken. */
int gw_resolve_emit_nothing(const struct gw_resolve *r, struct gw_json *context);
/* The name under which the command's origin is known; false when it has none. */
bool gw_resolve_origin(const struct gw_resolve *r, char out[GW_ORIGIN_NAME_MAX + 1]);

/* What a lens may ask about the blocks that an event touches (state_internal.h); for the command's canvas. NULL when memory is gone. */
struct gw_json *gw_facets_create(const struct gw_resolve *r);
/* value: a block that stands, or is about to */
struct gw_facet_block {
    const char *id, *kind, *author, *by, *vis;
};
/* Names one block and answers its facets for more members; NULL when memory is gone. */
struct gw_json *gw_facets_touch(const struct gw_resolve *r, struct gw_json *facets, const struct gw_block *block);
struct gw_json *gw_facets_add(const struct gw_resolve *r, struct gw_json *facets, const struct gw_facet_block *block);
/* Text, or NULL when memory is gone or `text` is NULL. */
struct gw_json *gw_resolve_text(const char *text);
struct gw_json *gw_resolve_parent(const struct gw_block *parent); /* its id, or JSON null for the root */
/* {op, id}: the beginning of an operation; and {ops: […]} of a finished list (taken). NULL when memory is gone. */
struct gw_json *gw_resolve_op(const char *op, const char *id);
struct gw_json *gw_resolve_ops(struct gw_json *ops);

/* ---- judges, and one handler a command ---- */

/* The members of `if`. condition_failed, bad_condition, limit_conditions. (resolve_condition.c) */
int gw_resolve_conditions(const struct gw_resolve *r);
/* value: a kind, its schema, and which of its properties the author sees */
struct gw_resolve_kind {
    const struct gw_json *schema;
    struct gw_plan_thing thing;
};
/* The declaration of a property that the author may name (a revision names what stood there), or NULL (resolve_props.c, as the next). */
const struct gw_json *gw_resolve_declaration(const struct gw_resolve *r, const struct gw_resolve_kind *kind, const char *name);
/* Properties against the kind's schema; `path` is the pointer of `props`. unknown_prop, also for what is hidden; and ids of gw_value_fits. */
int gw_resolve_props(const struct gw_resolve *r, const struct gw_resolve_kind *kind, const struct gw_json *props, const char *path);
/* A new object: `props` with the members of `set` and without those of `unset` (either may be NULL). NULL when memory is gone. */
struct gw_json *gw_resolve_props_merge(const struct gw_json *props, const struct gw_json *set, const struct gw_json *unset);
int gw_resolve_props_size(const struct gw_resolve *r, const struct gw_json *props, const char *path);
/* May a block of `kind` stand below `parent` (NULL = root)? bad_parent. */
int gw_resolve_parent_admits(const struct gw_resolve *r, const struct gw_block *parent, const char *kind, const char *path);

/* Emits the CANVAS_READY of a canvas that is not mounted and may be. (resolve_canvas.c) */
int gw_resolve_ready(const struct gw_resolve *r, const char *canvas_id, const struct gw_manifest *manifest);

int gw_resolve_canvas_mount(const struct gw_resolve *r);
int gw_resolve_canvas_commit(const struct gw_resolve *r);
int gw_resolve_token_set(const struct gw_resolve *r);
int gw_resolve_block_insert(const struct gw_resolve *r);
int gw_resolve_block_update(const struct gw_resolve *r);
int gw_resolve_block_move(const struct gw_resolve *r);
int gw_resolve_block_remove(const struct gw_resolve *r);
int gw_resolve_block_splice(const struct gw_resolve *r);
/* revise.c: the command itself; its steps follow */
int gw_resolve_undo(const struct gw_resolve *r);
int gw_resolve_restore(const struct gw_resolve *r);
int gw_resolve_chat_send(const struct gw_resolve *r);
int gw_resolve_chat_append(const struct gw_resolve *r);
int gw_resolve_chat_cancel(const struct gw_resolve *r);
int gw_resolve_log_write(const struct gw_resolve *r); /* an event a line */
int gw_resolve_node_set(const struct gw_resolve *r);
int gw_resolve_edge_set(const struct gw_resolve *r);
int gw_resolve_run_state(const struct gw_resolve *r);
int gw_resolve_run_start(const struct gw_resolve *r);
int gw_resolve_own(const struct gw_resolve *r); /* reduce.c: the frame of a canvas's own command; what it stands for follows */

#endif
