/* problem.h — refusals as problem documents (RFC 9457): HTTP status, class of refusal, JSON body. Pure; any thread. */
#ifndef GW_PROTOCOL_PROBLEM_H
#define GW_PROTOCOL_PROBLEM_H

#include <stddef.h>

struct gw_buffer;
struct gw_error;

#define GW_PROBLEM_MEDIA_TYPE "application/problem+json"

/* What a client is to do; every refusal and close has one. */
enum gw_retry {
    GW_RETRY_NOW,   /* "now": the same request again, at once */
    GW_RETRY_LATER, /* "later": after the time that Retry-After names */
    GW_RETRY_AUTH,  /* "auth": with a fresh bearer */
    GW_RETRY_NEVER  /* "never": this request will not succeed */
};
const char *gw_retry_name(enum gw_retry retry);

/* value */
struct gw_problem {
    int status;
    enum gw_retry retry;
};
/* value: what a stable id means where the error's code alone would say too little */
struct gw_problem_rule {
    const char *id;
    struct gw_problem problem;
};

/* The first of `rules` (may be NULL) with err->id, else by err->code: EINVAL 400, ELIMIT 413, ENOTFOUND 404, ECONFLICT and ESTATE 409,
 * EDENIED 403: never, or now when err->is_retryable; EAUTH 401 auth; ENOMEM, EIO, ECLOSED, EBUSY, ETIMEOUT, EUNKNOWN_OUTCOME 503 later. */
struct gw_problem gw_problem_classify(const struct gw_error *err, const struct gw_problem_rule *rules, size_t count);
/* Appends {"type":"about:blank","title":…,"status":…,"code":…,"detail":…,"path"?:…,"limit"?:{"name":…,"value":…,"unit":…},"expected"?:…,
 * "end"?:…,"retry":…}; the title is the status's reason. */
void gw_problem_write(const struct gw_error *err, struct gw_problem problem, struct gw_buffer *out);
/* Adds a member to the document with which `out` ends (RFC 9457 section 3.2); `json` is JSON text. */
void gw_problem_add_member(struct gw_buffer *out, const char *name, const char *json, size_t length);

#endif
