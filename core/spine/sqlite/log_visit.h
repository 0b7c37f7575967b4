/* log_visit.h — reads the whole log of a SQLite spine from outside, for tools: also while a gateway writes to it. Read only; the calling thread. */
#ifndef GW_SPINE_LOG_VISIT_H
#define GW_SPINE_LOG_VISIT_H

#include <stddef.h>

struct gw_error;
struct gw_spine_get;

/* value */
struct gw_log_visitor {
    /* A run, by its key "tenant/mode/project/run", in byte order: false passes it over. */
    int (*run)(void *arg, const char *key);
    /* The run's newest checkpoint, before its records, of which those that it covers are then passed over; not called for a run without one. Of `stored` the
     * kind, seq and chunks are set. Borrowed for the call. Not 0 ends the visit with that status. NULL: every record that is stored is visited. */
    int (*checkpoint)(void *arg, const struct gw_spine_get *stored);
    /* A record of that run, in order; borrowed for the call. Not 0 ends the visit with that status. */
    int (*record)(void *arg, const char *payload, size_t length);
    void *arg;
};

/* GW_ENOTFOUND spine_missing: there is no such file; GW_EIO spine_io; or what `record` answered. */
int gw_log_visit(const char *path, const struct gw_log_visitor *visitor, struct gw_error *err);

#endif
