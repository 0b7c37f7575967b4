/* log_visit.h — reads the whole log of a SQLite spine from outside, for tools: also while a gateway writes to it. Read only; the calling thread. */
#ifndef GW_SPINE_LOG_VISIT_H
#define GW_SPINE_LOG_VISIT_H

#include <stddef.h>

struct gw_error;

/* value */
struct gw_log_visitor {
    /* A run, by its key "tenant/mode/project/run", in byte order: false passes it over. */
    int (*run)(void *arg, const char *key);
    /* A record of that run, in order; borrowed for the call. Not 0 ends the visit with that status. */
    int (*record)(void *arg, const char *payload, size_t length);
    void *arg;
};

/* GW_ENOTFOUND spine_missing: there is no such file; GW_EIO spine_io; or what `record` answered. */
int gw_log_visit(const char *path, const struct gw_log_visitor *visitor, struct gw_error *err);

#endif
