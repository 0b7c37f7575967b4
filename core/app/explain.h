/* explain.h — what the files of `atoms explain` share: what was asked, put into the plan's words, and the printed answer. One thread. */
#ifndef GW_APP_EXPLAIN_H
#define GW_APP_EXPLAIN_H

#include <stdbool.h>

#include "app/policy_question.h"

struct gw_error;
struct gw_manifests;
struct gw_plan;
struct gw_script_origin;

/* value: who asks about what, as given; NULL: not given */
struct gw_explain_ask {
    const char *tenant, *actor, *kind, *role, *mode, *project, *surface, *app, *tokens;
    const char *token, *event, *command, *block, *node, *prop, *vis, *author, *author_id, *canvas;
    bool is_message, is_text, is_write, is_history, is_vision, is_presence, is_logs, wants_json;
    bool names_tenant; /* else `tenant` is the usual one */
};

/* value: texts are borrowed from what was asked and from the manifests */
struct gw_explain_question {
    struct gw_policy_question asks;
    char text[320];      /* "see the Token plan.title" */
    const char *refusal; /* why nobody of that kind may, whatever its lens says; NULL: nothing */
    bool is_shown;       /* asks what is shown of a value: a transform may have a say */
    bool is_undeclared;  /* a Token that no canvas declares */
    size_t direct_ways;  /* of asks.ways, those that do nothing else */
};

/* GW_EINVAL: no_question, many_questions, option_misplaced, bad_kind; unknown_event, unknown_command, unknown_canvas, unknown_kind, unknown_prop with a list of what
 * there is, no_text, ambiguous_kind. err->path is the option. */
int gw_explain_make(const struct gw_explain_ask *ask, const struct gw_manifests *manifests, struct gw_explain_question *out,
                    struct gw_error *err);

/* value: what is printed; `plan` NULL: the lens admits the actor to nothing */
struct gw_explain_answer {
    const struct gw_explain_ask *ask;
    const struct gw_explain_question *question;
    const struct gw_plan *plan;
    const struct gw_plan_reason *reason;
    const struct gw_script_origin *origin;
    const char *folder;
    bool is_by_defaults; /* the tenant has no policies of its own */
};
void gw_explain_print(const struct gw_explain_answer *answer);
/* On stderr; with wants_json also as {code, where, message} on stdout. */
void gw_explain_print_error(const struct gw_error *err, bool wants_json);

#endif
