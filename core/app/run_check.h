/* run_check.h — the runs that the embedded spine has recorded, against the canvases in force: what they hold that these would not take. Blocking; one thread; reads only,
 * also while a gateway writes. Memory: the state of one run at a time. */
#ifndef GW_APP_RUN_CHECK_H
#define GW_APP_RUN_CHECK_H

#include <stddef.h>

struct gw_error;
struct gw_manifests;
struct gw_state_misfit;

/* value */
struct gw_run_check {
    const char *spine; /* the database's path */
    const struct gw_manifests *manifests;
    void (*found)(void *arg, const char *run, const struct gw_state_misfit *misfit); /* the run by its key */
    void (*damaged)(void *arg, const char *run, const struct gw_error *err);         /* its log or its checkpoint does not fold */
    void *arg;
    size_t run_count, misfit_count, damaged_count; /* the answer */
};

/* Errors as gw_log_visit. A damaged run is told and passed over. */
int gw_run_check_all(struct gw_run_check *check, struct gw_error *err);

#endif
