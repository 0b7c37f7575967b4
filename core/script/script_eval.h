/* script_eval.h — expressions in the sandbox, with the policies of a tenant at hand: for people who ask by hand. Blocking; one thread. */
#ifndef GW_SCRIPT_SCRIPT_EVAL_H
#define GW_SCRIPT_SCRIPT_EVAL_H

struct gw_error;
struct gw_json;
struct gw_script_eval;
struct gw_scripts_opts;

/* Reads the policies that decide for the tenant ("": the defaults). Errors as gw_scripts_create. */
int gw_script_eval_create(const struct gw_scripts_opts *opts, const char *tenant_id, struct gw_script_eval **out, struct gw_error *err);
void gw_script_eval_destroy(struct gw_script_eval *eval); /* NULL is fine */
/* The value of a Lua expression, in which `actor` and `scope` are those given (objects, borrowed), `plan` is what the token lens answers them, `lens` is atoms.lens and
 * `policy` the token lens's file. A new reference, JSON null for nil. Errors as gw_sandbox_call. */
int gw_script_eval_run(struct gw_script_eval *eval, const char *expression, struct gw_json *actor, struct gw_json *scope,
                       struct gw_json **out, struct gw_error *err);

#endif
