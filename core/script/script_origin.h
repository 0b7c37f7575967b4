/* script_origin.h — where in the policies' files it is written what a plan answers to a question. Found by trial: a lens is pure, so each text, `true` and `false` of
 * its files is exchanged for another one in turn, and asked again; the one with which the deciding entry of the plan changes is the one. Blocking, two seconds at
 * most; for people, not for what serves. */
#ifndef GW_SCRIPT_SCRIPT_ORIGIN_H
#define GW_SCRIPT_SCRIPT_ORIGIN_H

#include <stdbool.h>

struct gw_error;
struct gw_plan;
struct gw_plan_reason;
struct gw_policy_subject;
struct gw_scripts;

/* value; borrowed for the call */
struct gw_script_question {
    const struct gw_policy_subject *subject;
    void (*answer)(void *arg, const struct gw_plan *plan, struct gw_plan_reason *out);
    void *arg;
};

/* value */
struct gw_script_origin {
    char digest[65]; /* of the files that decide for the tenant */
    char where[160]; /* file:line */
    bool is_near;    /* a guess: nothing that is written there decides by itself; where the role is named, or else the lens */
};

/* What the plan of this subject is, compiled: a new reference; NULL when the lens admits it to nothing. Errors as gw_sandbox_call and gw_plan_compile, with
 * file:line, and why the tenant's overlay cannot be read. */
int gw_scripts_ask_lens(struct gw_scripts *scripts, const struct gw_policy_subject *subject, struct gw_plan **out, struct gw_error *err);
/* Of that plan. Errors likewise. */
int gw_scripts_find_origin(struct gw_scripts *scripts, const struct gw_script_question *question, struct gw_script_origin *out,
                           struct gw_error *err);

#endif
