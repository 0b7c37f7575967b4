/* host_internal.h — what the files of a worker's script host share. One thread. For host_*.c and script_host.c alone. */
#ifndef GW_SCRIPT_HOST_INTERNAL_H
#define GW_SCRIPT_HOST_INTERNAL_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/id.h"
#include "hub/plan_layer.h"
#include "hub/ports.h"
#include "script/answers.h"
#include "script/generation.h"
#include "script/hooks.h"
#include "script/script_meter.h"
#include "script/script_rates.h"

struct gw_answers;
struct gw_found_transform;
struct gw_map;
struct gw_metric;

#define GW_VALIDATORS_MAX 64 /* files of policies/commands */

/* value: one file of policies/commands, as its table says; texts are borrowed from the state's sources and `data` */
struct gw_validator {
    const char *module;
    struct gw_plan_list commands;
    bool has_validate, has_rate;
    struct gw_rate rate;
};

/* One generation as it runs here. */
struct gw_script_state {
    struct gw_generation *generation; /* owned reference */
    struct gw_sandbox *sandbox;       /* NULL until the first call, and after one that left it unusable */
    struct gw_map *plans;             /* by who asked → struct gw_plan, or `nobody` */
    struct gw_map *classes;           /* by class id → the same plans, so that equal ones are one */
    struct gw_map *constants; /* by tenant and number of the table that the lens answered → likewise: such a table is compiled once */
    size_t plan_bytes;        /* of what these three hold, about */
    struct gw_validator *validators;
    size_t validator_count;
    struct gw_json *validator_data; /* array: owns what the validators borrow */
    bool has_validators;            /* they were read */
    struct gw_map *transforms;      /* by name → gw_found_transform, owned */
    bool has_transforms, knows_transforms;
    uint64_t used_ms, used;
};

/* One tenant as this worker knows it. */
struct gw_script_tenant {
    char tenant_id[GW_ID_MAX + 1];
    uint64_t epoch;                   /* as of which the generation was asked for */
    uint64_t failed_ahead;            /* the epoch in which scripts that were about to come failed for it: then they are not asked ahead */
    struct gw_generation *generation; /* owned reference; NULL: denied with `refusal` */
    struct gw_error refusal;
    uint64_t releases; /* as often as an operator had lifted its quarantine by then */
    struct gw_script_meter meter;
    struct gw_answers *answers; /* of transforms; NULL: none yet */
    uint64_t used_ms;
};

struct gw_script_host {
    struct gw_policy port;
    struct gw_scripts *scripts;
    const struct gw_clock *clock;
    uint8_t seed[16];
    struct gw_map *tenants; /* id → gw_script_tenant */
    struct gw_map *states;  /* generation → gw_script_state */
    uint64_t used;
    const struct gw_script_stage *stage; /* borrowed; NULL: nothing is about to come */
    size_t answer_bytes;                 /* that the tenants' answers take */
    struct gw_buffer scratch;            /* in which their keys and values are written */
    struct gw_error why_not;             /* of the port */
    struct gw_metric *calls[GW_HOOK_COUNT], *failures[GW_HOOK_COUNT], *nanoseconds[GW_HOOK_COUNT];
    struct gw_metric *state_count, *refused_budget, *quarantines;
};

uint64_t gw_host_now_ms(const struct gw_script_host *host);
/* The tenant with the generation that is in force for it. policy_failed. */
int gw_host_tenant(struct gw_script_host *host, const char *tenant_id, struct gw_script_tenant **out, struct gw_error *err);
/* The state of a generation, without a sandbox perhaps. Borrowed until the next call of this function. */
struct gw_script_state *gw_host_state(struct gw_script_host *host, struct gw_generation *generation);

/* value: one call of a script for a tenant */
struct gw_host_call {
    struct gw_script_tenant *tenant;
    struct gw_script_state *state;
    enum gw_hook hook;
    struct gw_sandbox_call call;
    bool is_ahead; /* of a generation that is not in force: a failure is nobody's yet */
};
/* May the tenant's scripts run at all: policy_quarantined, script_budget. */
int gw_host_admit(struct gw_script_host *host, struct gw_script_tenant *tenant, enum gw_hook hook, struct gw_error *err);
/* Admits, calls, counts, charges. On failure *err is policy_failed or script_budget, which is what clients may know, and the log has the rest. */
int gw_host_call(struct gw_script_host *host, const struct gw_host_call *call, struct gw_json **results, struct gw_error *err);
/* The same after it was admitted. *failure is the script's own, after its counting. */
int gw_host_run(struct gw_script_host *host, const struct gw_host_call *call, struct gw_json **results, struct gw_error *failure,
                struct gw_error *err);
/* The state's sandbox, made if need be. *err is the script's own. */
int gw_host_sandbox(struct gw_script_host *host, struct gw_script_state *state, struct gw_sandbox **out, struct gw_error *err);
/* A script of the tenant failed with `failure`: counts, logs, perhaps quarantines; *err becomes policy_failed. */
int gw_host_fail(struct gw_script_host *host, const struct gw_host_call *call, const struct gw_error *failure, struct gw_error *err);
bool gw_host_has(const struct gw_script_state *state, const char *module); /* is there such a file */

/* The objects that scripts get; NULL when memory is gone. */
struct gw_json *gw_host_text(const char *text);
struct gw_json *gw_host_actor(const struct gw_policy_subject *subject, bool has_claims);
struct gw_json *gw_host_scope(const struct gw_scope *scope, bool has_run);

/* ---- struct gw_policy ---- */
int gw_host_lens(void *self, const struct gw_policy_subject *subject, struct gw_plan **plan, struct gw_error *err); /* host_lens.c */
void gw_host_prepare(void *self, const struct gw_policy_subject *subject);
void gw_host_forget_plans(struct gw_script_state *state);
int gw_host_transform(void *self, const struct gw_transform_call *call, struct gw_json **out, struct gw_error *err); /* host_transform.c */
bool gw_host_has_transforms(void *self, const char *tenant_id);
/* The transform of that name, borrowed from the state; *err is the script's own. */
int gw_host_find_transform(struct gw_script_host *host, struct gw_script_state *state, const char *name,
                           const struct gw_found_transform **out, struct gw_error *err);
void gw_host_forget_transforms(struct gw_script_state *state);

/* What transforms answered (answers.h), each tenant's apart; when all together are too many, who has the most forgets. (host_answers.c) */
bool gw_host_find_answer(struct gw_script_host *host, struct gw_script_tenant *tenant, const uint8_t key[GW_SHA256_BYTES],
                         struct gw_answer *out);
void gw_host_keep_answer(struct gw_script_host *host, struct gw_script_tenant *tenant, const uint8_t key[GW_SHA256_BYTES],
                         const struct gw_answer *answer);
void gw_host_forget_answers(struct gw_script_host *host, struct gw_script_tenant *tenant);

int gw_host_validate(void *self, const struct gw_policy_command *command, struct gw_error *err); /* host_commands.c */
int gw_host_reduce(void *self, const struct gw_policy_command *command, struct gw_json **operations, struct gw_error *err);
bool gw_host_has_validators(void *self, const char *tenant_id, const char *type);
void gw_host_forget_validators(struct gw_script_state *state);
int gw_host_context(void *self, const struct gw_context_request *request, struct gw_json **items,
                    struct gw_error *err); /* host_context.c */
int gw_host_sanitize(void *self, const struct gw_scope *scope, struct gw_json *line, struct gw_json **out,
                     struct gw_error *err); /* host_sanitize.c */

#endif
