/* plan_compile.h — from a plan as data to a plan that answers. Pure: equal inputs make equal plans, of one class. Any thread. */
#ifndef GW_HUB_PLAN_COMPILE_H
#define GW_HUB_PLAN_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_error;
struct gw_json;
struct gw_plan;

#define GW_PLAN_LIST_MAX  64  /* globs of a list */
#define GW_PLAN_GLOB_MAX  128 /* bytes of a glob, without its "!" */
#define GW_PLAN_RULES_MAX 32  /* rules of `read` or `write`, entries of `redact` */
#define GW_PLAN_TEXTS_MAX 256 /* texts of all lists together: each block that is shown is held against most of them */
/* Part of every class id: a change of what events look like on the wire makes new classes, so that no cursor crosses it. */
#define GW_PLAN_ENCODER_VERSION 3

/* value; everything is borrowed for the call, but for the ceiling, of which a reference is taken */
struct gw_plan_opts {
    const char *tenant_id;
    const struct gw_json *source;   /* an object; where a list or an object is expected, an empty one of the other kind will do */
    struct gw_plan *ceiling;        /* compiled; NULL: none */
    const char *actor_id;           /* who "self" is */
    const char *const *token_globs; /* of the bearer: narrows Tokens; NULL when the bearer does not */
    size_t token_glob_count;
    const uint8_t *transform_hash; /* SHA-256 of the source that has the transform which the plan names; NULL: there is no such transform */
};

/* GW_EINVAL plan_bad_shape with the pointer of the offending member and a hint; GW_ENOMEM. */
int gw_plan_compile(const struct gw_plan_opts *opts, struct gw_plan **out, struct gw_error *err);

#endif
