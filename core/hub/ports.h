/* ports.h — what the domain needs from the world, as vtables. Drivers stand behind them in their own folders; the domain never learns their names.
 *
 * Asynchronous requests are structs that the caller owns and embeds: it fills the inputs, calls the port, and keeps the struct alive until `done` has run on
 * `home` (exactly once, never inside the call). A port call itself does not fail: refusals arrive through `done` too. */
#ifndef GW_HUB_PORTS_H
#define GW_HUB_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "base/task.h"
#include "hub/event.h"
#include "hub/spine_port.h"
#include "hub/wire_port.h"

struct gw_command;
struct gw_json;
struct gw_manifests;
struct gw_plan;

/* ---- registry: what tenants have -------------------------------------------------------------------------------------------------- */

/* The flow of that name which a project of a tenant has. status: GW_OK · GW_ENOTFOUND: no such flow, tenant or project, told alike · GW_EIO,
 * GW_EBUSY may be tried again. */
struct gw_flow_get {
    char tenant_id[GW_ID_MAX + 1], project_id[GW_ID_MAX + 1], flow_id[GW_ID_MAX + 1];
    struct gw_executor *home;
    void (*done)(struct gw_flow_get *request);
    void *arg; /* the caller's */
    int status;
    struct gw_error err;
    struct gw_json *flow; /* checked (hub/graph_schema.h), nobody else's; owned by the request until gw_flow_get_fini */
    struct gw_task task;  /* the driver's */
    void *driver;         /* the driver's */
};
void gw_flow_get_fini(struct gw_flow_get *request);

struct gw_registry {
    void *self;
    void (*flow)(void *self, struct gw_flow_get *request);
};

/* ---- policy: who sees and writes what ---------------------------------------------------------------------------------------------- */

/* value: who asks; borrowed for the call */
struct gw_policy_subject {
    const struct gw_actor *actor;
    const char *role;
    const struct gw_scope *scope;
    const char *const *token_globs; /* from the bearer: narrows the Tokens seen; NULL when the bearer does not narrow */
    size_t token_glob_count;
};

#define GW_REDUCED_MAX       64
#define GW_CONTEXT_MAX_BYTES (1u << 20) /* that may be asked for */

enum gw_transform_what { GW_TRANSFORM_BLOCK, GW_TRANSFORM_TOKEN, GW_TRANSFORM_MESSAGE };

/* value: one value that the plan's class may see; borrowed for the call */
struct gw_transform_call {
    const struct gw_plan *plan; /* it names a transform */
    enum gw_transform_what what;
    const char *key; /* of the Token */
    /* a block {id, kind, canvas_type, vis?, author, props, text}; the value of a Token; a message {id, vis?, author, text} */
    struct gw_json *value;
};

/* value: what a script may look at while it judges a command, through its author's lens: a look answers a new reference, NULL for what is not there or not seen */
struct gw_policy_view {
    void *self;
    int (*block)(void *self, const char *id, struct gw_json **out,
                 struct gw_error *err); /* {id, kind, parent?, pos, props, text, vis?} of the command's canvas */
    int (*children)(void *self, const char *id, struct gw_json **out, struct gw_error *err); /* ids in order; id NULL: at the root */
    int (*token)(void *self, const char *key, struct gw_json **out, struct gw_error *err);
};

/* value: a command as scripts judge it; borrowed for the call */
struct gw_policy_command {
    const struct gw_command *command;
    const struct gw_actor *actor;
    const char *role;
    const char *canvas_type; /* of the canvas that it names; NULL: none is mounted */
    struct gw_policy_view view;
    bool *is_counted; /* against rates: judged again, it is not counted again */
};

/* value: who asks for context; borrowed for the call */
struct gw_context_request {
    const struct gw_policy_subject *subject; /* its scope names the run */
    uint32_t max_bytes;
    const char *focus;    /* a canvas id, or NULL */
    struct gw_json *view; /* the state as its lens shows it: the body of GET /v1/state; changed by the call */
};

struct gw_policy {
    void *self;
    /* The plan of this subject, one new reference. GW_EDENIED: default deny. */
    int (*lens)(void *self, const struct gw_policy_subject *subject, struct gw_plan **plan, struct gw_error *err);
    /* While scripts are about to come into force: asks them what `lens` will answer then, so that it costs little. Refuses nobody. NULL: nothing can be asked ahead. */
    void (*prepare)(void *self, const struct gw_policy_subject *subject);
    /* What the plan's transform makes of it: one new reference of a value of the same shape, of which props and text count of a block, text of a message; JSON null
     * when nothing of it is to be seen; call->value itself, referenced, when the script has no function for it. Pure: the same value always makes the same one.
     * On the run's own thread. GW_EDENIED: the script fails at this value, whenever it is asked, and nothing of it is seen. GW_EBUSY: it may not run now, or was not
     * let come to its end, so nobody knows what is to be seen; *why_not then has what to tell who asked. GW_ENOMEM. NULL: no plan has a transform. */
    int (*transform)(void *self, const struct gw_transform_call *call, struct gw_json **out, struct gw_error *err);
    struct gw_error *why_not; /* gw_lens_why takes it */
    /* Whether a validator of the tenant is, or may be, about commands of that type. NULL: any may. */
    bool (*has_validators)(void *self, const char *tenant_id, const char *type);
    /* Do the tenant's validators admit it? policy_refused (GW_ERULE, err->reason, err->path below /args), rate_limited, policy_failed, script_budget. */
    int (*validate)(void *self, const struct gw_policy_command *command, struct gw_error *err);
    /* A command of a canvas's own: the built-in ones that it stands for, [{type, args}], a new reference: block.* and token.set of Tokens that the canvas declares, at
     * most GW_REDUCED_MAX. As validate, and unknown_command: there is no script for it. */
    int (*reduce)(void *self, const struct gw_policy_command *command, struct gw_json **operations, struct gw_error *err);
    /* One log line {level, message, fields?} as it may be kept: a new reference, NULL to drop it. policy_failed, script_budget. */
    int (*sanitize)(void *self, const struct gw_scope *scope, struct gw_json *line, struct gw_json **out, struct gw_error *err);
    /* What an agent gets as context, the most useful first: a list of {kind, ref?, text?, data?}, a new reference. not_allowed: nobody gets any. */
    int (*context)(void *self, const struct gw_context_request *request, struct gw_json **items, struct gw_error *err);
    /* The number of the scripts that decide for this tenant now, and the canvases there are (borrowed until the next call); 0 and NULL when nothing can decide. */
    uint64_t (*generation)(void *self, const char *tenant_id);
    const struct gw_manifests *(*manifests)(void *self, const char *tenant_id);
    /* Whether a plan of this tenant may have a transform: then its events carry what blocks and messages have become, whole. NULL: never. */
    bool (*has_transforms)(void *self, const char *tenant_id);
};

/* ---- sink: where records go besides the log of their run -------------------------------------------------------------------------------- */

/* value: a durable event, sanitized before it was stored, and its full scope; borrowed for the call */
struct gw_sink_record {
    struct gw_scope scope;
    const struct gw_event *event; /* log_line */
};

/* Best effort, in order of each run, at most once: the run's own events are the truth. */
struct gw_sink {
    void *self;
    /* Any thread; copies what it keeps and never waits: what does not fit its bounded queue is dropped and counted. */
    void (*write)(void *self, const struct gw_sink_record *record);
};

#endif
