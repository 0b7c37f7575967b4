/* policy_diff.h — two sets of policies over one log: for each tenant that it speaks of and each role, what the class gains and loses. Blocking; one thread. */
#ifndef GW_APP_POLICY_DIFF_H
#define GW_APP_POLICY_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_error;
struct gw_policy_word;
struct gw_scripts_opts;

/* value: one class, before and after; borrowed for the call */
struct gw_class_diff {
    const char *tenant_id, *role, *kind;
    uint64_t class_before, class_after;                        /* 0: the policies admit it to nothing */
    uint64_t event_count, gained, lost, changed;               /* events as that class would see them */
    const struct gw_policy_word *const *gains, *const *losses; /* in byte order of their labels */
    size_t gain_count, loss_count;
};

/* value */
struct gw_policy_diff {
    const struct gw_scripts_opts *before, *after;
    const char *spine;        /* the database's path */
    const char *const *roles; /* NULL-ended: "role" or "role:kind" */
    void (*told)(void *arg, const struct gw_class_diff *diff);
    void *arg;
};

/* GW_EINVAL: one of the policies cannot be read, err says where; or as gw_log_visit. A class whose policies fail is told as admitted to nothing. */
int gw_policy_diff_run(const struct gw_policy_diff *diff, struct gw_error *err);

#endif
