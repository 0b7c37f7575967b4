/* policy_diff.h — two sets of policies over one log: for each tenant that it speaks of and each role, what the class gains and loses. Blocking; one thread. */
#ifndef GW_APP_POLICY_DIFF_H
#define GW_APP_POLICY_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_error;
struct gw_json;
struct gw_policy_word;
struct gw_scripts;
struct gw_scripts_opts;

/* value: one class, before and after; borrowed for the call */
struct gw_class_diff {
    const char *tenant_id, *role, *kind;                       /* role: "" stands for all that the lens does not know */
    uint64_t class_before, class_after;                        /* 0: the policies admit it to nothing */
    const struct gw_error *failures[2];                        /* why they could not tell; NULL */
    uint64_t event_count, gained, lost, changed;               /* events as that class would see them */
    const struct gw_policy_word *const *gains, *const *losses; /* in byte order of their labels */
    size_t gain_count, loss_count;
};

/* value */
struct gw_policy_diff {
    const struct gw_scripts_opts *before, *after;
    const char *spine;        /* the database's path */
    const char *const *roles; /* NULL-ended: "role" or "role:kind"; none: the six that ship, and what the lenses speak of */
    void (*told)(void *arg, const struct gw_class_diff *diff);
    /* A file that decides about the tenant's commands, context or log lines, or is a canvas's, and is not the same: what comes of that is not compared, since
     * commands are not recorded. `path` below its folder; once a tenant and file, before its classes. */
    void (*other_file)(void *arg, const char *tenant_id, const char *path);
    void *arg;
    struct gw_json **stored; /* gets what gw_scripts_list says of `before`, a new reference; NULL: nobody wants it */
};

/* "role" or "role:kind": is the kind one, and the role an id? */
bool gw_policy_diff_knows_role(const char *role);
/* GW_EINVAL: one of the policies cannot be read, err says where; or as gw_log_visit. */
int gw_policy_diff_run(const struct gw_policy_diff *diff, struct gw_error *err);

#endif
