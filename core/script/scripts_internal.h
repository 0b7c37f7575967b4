/* scripts_internal.h — what the files of script.h share: which generation is in force for whom, and how tenants fare. Everything here takes the lock itself. */
#ifndef GW_SCRIPT_SCRIPTS_INTERNAL_H
#define GW_SCRIPT_SCRIPTS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"
#include "script/generation.h"
#include "script/hooks.h"

struct gw_map;
struct gw_metric;
struct gw_rates;

#define GW_SCRIPTS_ABSENT_MAX 65536 /* tenants remembered to have no overlay */

/* value: what went wrong last */
struct gw_script_trouble {
    bool is_there;
    struct gw_error err;
    int64_t at_ms;          /* wall clock */
    uint64_t failure_count; /* of calls, since the generation came */
    uint64_t by_hook[GW_HOOK_COUNT];
    int64_t denied_until_ms; /* wall clock; 0: not quarantined */
};

/* value: what was in force once */
struct gw_script_kept {
    struct gw_generation *generation; /* owned; NULL: the tenant had no overlay */
    uint64_t number;                  /* by which it is asked for */
};

/* One tenant, or the defaults. */
struct gw_script_slot {
    char tenant_id[GW_ID_MAX + 1];
    struct gw_generation *current;               /* owned; NULL: the defaults serve it, unless is_broken */
    struct gw_script_kept kept[GW_SCRIPTS_KEPT]; /* newest first */
    size_t kept_count;
    bool is_known;      /* it is decided what serves it; else the slot only tells of trouble */
    bool is_broken;     /* its overlay cannot be read: denied */
    bool is_pinned;     /* not what it has stored */
    uint64_t pinned;    /* the number under which that was kept */
    uint64_t broken_by; /* the defaults over which its overlay fails; 0: it cannot be read at all */
    bool is_stale;      /* what it has stored could not be put in force */
    uint64_t swaps;     /* how often it was swapped: what a stage was made for */
    uint64_t releases;  /* how often its quarantine was lifted by hand */
    uint64_t used;      /* when it was asked for last, by gw_scripts.asked */
    struct gw_script_trouble trouble;
};

struct gw_scripts {
    struct gw_scripts_opts opts; /* its texts are owned */
    atomic_uint_fast64_t epoch;
    struct gw_rates *rates; /* of all workers; it locks itself */
    pthread_mutex_t lock;   /* of all below */
    uint64_t next_number, asked;
    struct gw_script_slot defaults;
    struct gw_map *slots;                  /* tenant → gw_script_slot */
    struct gw_map *classes, *class_owners; /* scripts_class.c */
    size_t overlay_count;
    struct gw_metric *swaps, *swap_failures, *stale;
};

/* The generation that decides for a tenant now; a new reference. Reads the tenant's overlay when it has not been looked for. policy_failed: its overlay cannot be
 * read, which was logged; GW_EBUSY of the registry is not remembered. */
int gw_scripts_get(struct gw_scripts *scripts, const char *tenant_id, struct gw_generation **out, struct gw_error *err);
/* What will decide for a tenant that the stage is about and for which `current` decides now, borrowed; NULL: nothing, its overlay does not stand the new defaults.
 * Any thread, while the stage is neither committed nor dropped. */
struct gw_generation *gw_script_stage_next(const struct gw_script_stage *stage, const struct gw_generation *current);
/* value: of one call; borrowed */
struct gw_script_failure {
    enum gw_hook hook;
    const struct gw_error *err;
    int64_t denied_until_ms; /* as above */
};
void gw_scripts_note(struct gw_scripts *scripts, const char *tenant_id, const struct gw_script_failure *failure);

/* How often an operator has lifted the tenant's quarantine: another number ends it where it is. */
uint64_t gw_scripts_releases(struct gw_scripts *scripts, const char *tenant_id);

/* Classes whose plan has a transform, and the generation that it is in. Of more than GW_SCRIPTS_CLASSES_MAX that one is forgotten which was not asked for the longest,
 * of the tenant that has the most. (scripts_class.c) */
#define GW_SCRIPTS_CLASSES_MAX 4096
void gw_scripts_put_class(struct gw_scripts *scripts, uint64_t class_id, const char *tenant_id, struct gw_generation *generation);
/* *generation is a new reference. False: unknown. */
bool gw_scripts_find_class(struct gw_scripts *scripts, uint64_t class_id, char tenant_id[GW_ID_MAX + 1], struct gw_generation **generation);
/* Under the lock: forgets those whose generation was neither in force nor kept by the last one, and is not now; all of them. */
void gw_scripts_sweep_classes(struct gw_scripts *scripts);
void gw_scripts_drop_classes(struct gw_scripts *scripts);

/* scripts.c, under the lock */
struct gw_script_slot *gw_scripts_slot(struct gw_scripts *scripts, const char *tenant_id);      /* or NULL */
struct gw_script_slot *gw_scripts_make_slot(struct gw_scripts *scripts, const char *tenant_id); /* NULL: no memory */
/* A slot has become stale, or is so no more: the metric says how many are. */
void gw_scripts_set_stale(struct gw_scripts *scripts, struct gw_script_slot *slot, bool is_stale);
/* Puts `generation` (taken; NULL: none) in force, keeping what was in force before: also that a tenant had none. */
void gw_script_slot_swap(struct gw_scripts *scripts, struct gw_script_slot *slot, struct gw_generation *generation);

void gw_scripts_log_failure(const struct gw_scripts *scripts, const char *event, const char *tenant_id, const struct gw_error *err);

#endif
