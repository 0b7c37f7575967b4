/* error.h — the one way in which functions here report failure.
 *
 * A function that can fail returns 0 or a negative GW_E… and fills the caller's `struct gw_error` (last parameter, never
 * NULL). Fixed buffers: reporting an error never allocates and never fails. Any thread; a value, owned by the caller.
 * Not for programmer mistakes: those are assert()ed. */
#ifndef GW_BASE_ERROR_H
#define GW_BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

enum gw_errno {
    GW_OK = 0,
    GW_ENOMEM = -1,            /* an allocation whose size a peer chose failed */
    GW_EINVAL = -2,            /* malformed input */
    GW_ELIMIT = -3,            /* a stated limit was hit; `limit` names it */
    GW_ENOTFOUND = -4,         /* no such thing, or none that the caller may see */
    GW_ECONFLICT = -5,         /* lost a race, or the same name with other content */
    GW_EAUTH = -6,             /* no valid bearer */
    GW_EDENIED = -7,           /* valid bearer, not allowed */
    GW_EIO = -8,               /* disk or network failed */
    GW_ECLOSED = -9,           /* the other side, or this process, is going away */
    GW_EBUSY = -10,            /* overload: retry later */
    GW_ETIMEOUT = -11,         /* a deadline passed */
    GW_ESTATE = -12,           /* not possible in the present state */
    GW_EUNKNOWN_OUTCOME = -13, /* a write may or may not have happened */
    GW_ERULE = -14             /* well-formed, and against a rule that others have made */
};

/* value */
struct gw_error {
    int code;            /* enum gw_errno */
    bool is_retryable;   /* the same request may succeed later */
    bool has_limit;      /* `limit` and `limit_name` are set */
    int64_t limit;       /* the limit that was hit, in the unit of its name */
    bool has_expected;   /* `expected` is set */
    int64_t expected;    /* the number that would have been right: an offset */
    char end[16];        /* how that ended which takes nothing more: "cancelled"; "" elsewhere */
    char reason[44];     /* beside policy_refused: whoever made the rule calls it so; "" elsewhere */
    char id[40];         /* stable code for clients: "body_too_large" */
    char limit_name[40]; /* as the configuration or the documents call it: "max_body_bytes" */
    char path[160];      /* where in the input: "/args/block/id", or file:line */
    char message[240];   /* one sentence for people; never holds a secret */
};

/* Fills *err and returns `code`, so that `return gw_error_set(err, …)` reads as one step. */
int gw_error_set(struct gw_error *err, int code, const char *id, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* As gw_error_set with code GW_ELIMIT, recording the limit's name and value. */
int gw_error_limit(struct gw_error *err, const char *id, const char *limit_name, int64_t limit, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Adds to *err the name and the value of the limit that was hit; for those that are no GW_ELIMIT: a timeout, an overload. */
void gw_error_name_limit(struct gw_error *err, const char *limit_name, int64_t limit);

/* Puts `prefix` before err->path; truncates at the end. Lets an outer caller say where the inner input stood. */
void gw_error_prefix(struct gw_error *err, const char *prefix);

#endif
