/* script_check.h — looks through policies and canvases as a person would want it before a reload: not the first fault alone but each, and what is lawful but
 * unwise. Blocking; nothing is in force afterwards. The law is generation.h's: what passes without an error here can be switched to. */
#ifndef GW_SCRIPT_SCRIPT_CHECK_H
#define GW_SCRIPT_SCRIPT_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct gw_scripts_opts;

/* value: one fault, or one thing to think about; borrowed for the call */
struct gw_script_finding {
    const char *tenant_id; /* "": the defaults */
    bool is_warning;
    const struct gw_error *err; /* id, file:line, message */
    const char *hint;           /* what to do, or "" */
};

/* value */
struct gw_script_check {
    void (*found)(void *arg, const struct gw_script_finding *finding);
    void *arg;
    size_t file_count, tenant_count, error_count, warning_count; /* the answer */
};

/* Reads the defaults and every folder of policies_dir/tenants. Findings are those of gw_scripts_create, and as warnings: plan_per_actor (the plan depends on who
 * exactly asks), unknown_event, unknown_command (a list names what there is not). */
void gw_scripts_check(const struct gw_scripts_opts *opts, struct gw_script_check *check);

#endif
