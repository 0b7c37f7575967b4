/* script.h — the whole border between the core and the Lua files that decide. Two things:
 *
 * struct gw_scripts, one a process: which scripts are in force. Any thread. Policies of all (policies_dir), the canvases, the library, and what a tenant has laid
 * over them (policies_dir/tenants/<tenant>, else the registry) are read into immutable *generations*: one of the defaults, one for each tenant with an
 * overlay, swapped independently. An overlay is read when its tenant first comes, and forgotten when it has not been used for long.
 *
 * struct gw_script_host, one a worker: runs them, behind struct gw_policy (hub/ports.h). One thread. A state per generation, made on first use; calls
 * have budgets, and each tenant a share of the worker's time. Whatever goes wrong in a script denies, is logged with file:line, and touches nobody else.
 *
 * How a worker learns of a swap: gw_scripts_commit puts the new generation in force and then advances the counter that gw_scripts_epoch reads. A host compares
 * it, one atomic load, at the beginning of every call, so a call that begins after the commit returned is decided by what was committed, on every
 * thread. What follows for open streams is the caller's of commit: it tells the workers by messages. Plans outlive their generation. */
#ifndef GW_SCRIPT_SCRIPT_H
#define GW_SCRIPT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "script/sandbox.h"

struct gw_clock;
struct gw_error;
struct gw_json;
struct gw_log;
struct gw_manifests;
struct gw_metrics;
struct gw_overlays;
struct gw_policy;
struct gw_script_host;
struct gw_script_stage;
struct gw_script_faults;
struct gw_scripts;

/* value: inclusive maxima. A ceiling.lua, the operator's or a tenant's, may lower the first two lines by the same names, for the tenants that it is about. */
struct gw_script_limits {
    struct gw_sandbox_limits call;
    uint32_t tenant_ms_per_s; /* script time of one tenant, per worker: 100 */
    size_t max_states;        /* per worker: 256; the least recently used goes */
    size_t max_overlays;      /* kept in memory: 1024; likewise */
    size_t max_plans;         /* per state, remembered by who asked: 4096 */
    size_t keep_versions;     /* of a tenant in the registry, besides the one in force: 16 */
    size_t max_rates;         /* actors whose rates are counted, per process: 65536; those longest silent are forgotten */
};
void gw_script_limits_default(struct gw_script_limits *limits);

/* value; texts are copied, the rest is borrowed for its life */
struct gw_scripts_opts {
    const char *policies_dir, *canvases_dir, *lua_dir;
    const char *policies_shown, *canvases_shown; /* what messages call the first two, kept by its owner; NULL: "policies", "canvases" */
    /* Told of what cannot be read, which is then passed over as if it were not there: to look at all of it, never to serve. NULL: the first one ends the reading. */
    const struct gw_script_faults *faults;
    const struct gw_overlays *overlays; /* of tenants without a folder; NULL: there are none */
    const struct gw_clock *clock;
    const struct gw_clock *budget_clock; /* by which scripts' time is measured: that of their thread */
    struct gw_log *log;                  /* NULL: silent */
    struct gw_metrics *metrics;
    struct gw_script_limits limits;
    bool has_no_meter; /* for tools: scripts are asked whatever they have cost, and however often they failed */
    bool keeps_failed; /* an overlay that fails under new defaults: the tenant keeps the old ones; else it is denied */
};

/* Reads and checks the defaults: compiles, hooks present, ceiling and manifests well-formed. err->path is file:line. Blocking. */
int gw_scripts_create(const struct gw_scripts_opts *opts, struct gw_scripts **out, struct gw_error *err);
void gw_scripts_destroy(struct gw_scripts *scripts); /* every host is gone; NULL is fine */
/* Advances with every swap. */
uint64_t gw_scripts_epoch(const struct gw_scripts *scripts);
/* The canvases in force; a new reference. */
struct gw_manifests *gw_scripts_manifests(struct gw_scripts *scripts);

/* ---- swapping, in two phases ---------------------------------------------------------------------------------------------------------------- */

/* Reads the files again and builds a generation aside: of the defaults (tenant_id "") or of one tenant. Checked as at the start; nothing is in force yet.
 * Blocking: for a helper thread. A failure is kept for the list and changes nothing else. GW_ENOTFOUND no_overlay: the tenant has none and had none. A tenant whose
 * overlay is gone stages its return to the defaults. */
int gw_scripts_stage(struct gw_scripts *scripts, const char *tenant_id, struct gw_script_stage **out, struct gw_error *err);
/* Nothing differs from what is in force. */
bool gw_script_stage_is_same(const struct gw_script_stage *stage);
/* In force from now on. GW_ECONFLICT swapped_meanwhile: another swap came between; stage again. */
int gw_scripts_commit(struct gw_scripts *scripts, struct gw_script_stage *stage /* taken */, struct gw_error *err);
void gw_script_stage_drop(struct gw_script_stage *stage); /* NULL is fine */
/* Of one that goes back: the number under which the list has it; else 0. */
uint64_t gw_script_stage_back_to(const struct gw_script_stage *stage);
/* Stages one of the last GW_SCRIPTS_KEPT generations that were in force: `number`, or 0 for the one before, and before that one when it has been gone back already; of
 * a tenant also that it had no overlay. Checked where the defaults may have changed since. GW_ENOTFOUND no_generation. What was rolled back to stays until the next
 * commit of its tenant. */
#define GW_SCRIPTS_KEPT 4
int gw_scripts_stage_old(struct gw_scripts *scripts, const char *tenant_id, uint64_t number, struct gw_script_stage **out,
                         struct gw_error *err);

/* Removes from the registry what keep_versions says of the tenant's old versions; never the one in force. Blocking. *removed is how many went; errors of the port. */
int gw_scripts_prune(struct gw_scripts *scripts, const char *tenant_id, size_t *removed, struct gw_error *err);

/* Ends the quarantine of a tenant: on each worker with its next call. False: it was in none. */
bool gw_scripts_release(struct gw_scripts *scripts, const char *tenant_id);

/* {epoch, defaults: {number, digest, loaded_at, status, error?, kept: […]}, tenants: [{tenant_id, …}]}: status is active, failed (why: error {code, message,
 * where}; the old one goes on), denied (nothing is in force) or quarantined. Tenants whose overlay is in memory, or that are in trouble. NULL when memory is gone. */
struct gw_json *gw_scripts_list(struct gw_scripts *scripts);
/* value: how a tenant, or "" the defaults, fares */
struct gw_script_standing {
    uint64_t number; /* of its generation; 0: it has none of its own */
    bool is_denied;  /* its overlay cannot be read, or fails over the defaults: nothing is allowed */
};
struct gw_script_standing gw_scripts_standing(struct gw_scripts *scripts, const char *tenant_id);
/* The next tenant in byte order that is denied since its overlay fails over the defaults now in force, and why; start with "". False at the end. */
bool gw_scripts_next_denied(struct gw_scripts *scripts, char tenant_id[65], struct gw_error *why);
/* The next tenant in byte order whose overlay is in memory; start with "". False at the end. */
bool gw_scripts_next_tenant(struct gw_scripts *scripts, char tenant_id[65]);
/* Tenants that have an overlay now and had none when they last came: nobody has read it yet. In byte order; freed by gw_script_tenants_free. Blocking. */
size_t gw_scripts_newcomers(struct gw_scripts *scripts, char ***out);

/* ---- running them ------------------------------------------------------------------------------------------------------------------------------- */

struct gw_script_host *gw_script_host_create(struct gw_scripts *scripts);
void gw_script_host_destroy(struct gw_script_host *host); /* NULL is fine */
/* Lives as long as the host. Its errors: not_allowed (the lens admits nobody), policy_failed (a script failed, or its tenant is quarantined for that), script_budget
 * (the tenant has used its time), rate_limited, and what a validator says. */
const struct gw_policy *gw_script_host_port(const struct gw_script_host *host);
/* From now on the port's `prepare` asks the lenses of what is staged (borrowed; until NULL), for tenants that it is about. Only plans are remembered: what else is
 * asked is decided by what is in force. */
void gw_script_host_prepare(struct gw_script_host *host, const struct gw_script_stage *stage);
/* About once a second: closes states that are idle or no longer in force. */
void gw_script_host_tick(struct gw_script_host *host);

#endif
