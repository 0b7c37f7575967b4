/* script_specs.h — runs the specs of policies and canvases inside the sandbox that serves: policies_dir/spec, canvases_dir/<type>/spec, and
 * policies_dir/tenants/<tenant>/spec over that tenant's policies. One fresh state a file, each test a call of its own. Blocking. */
#ifndef GW_SCRIPT_SCRIPT_SPECS_H
#define GW_SCRIPT_SCRIPT_SPECS_H

#include <stdbool.h>
#include <stddef.h>

struct gw_error;
struct gw_scripts_opts;

/* value; borrowed for the call */
struct gw_script_test {
    const char *file; /* "policies/spec/token_lens_spec.lua" */
    const char *name; /* "the default roles are six"; "" for a file that cannot be read */
    bool is_good;
    const char *message; /* file:line and what was wrong; "" when it is good */
};

/* value */
struct gw_script_specs {
    void (*ran)(void *arg, const struct gw_script_test *test);
    void *arg;
    size_t file_count, good_count, failed_count; /* the answer */
};

/* Not GW_OK: the policies themselves cannot be read, and nothing ran. */
int gw_scripts_run_specs(const struct gw_scripts_opts *opts, struct gw_script_specs *specs, struct gw_error *err);

#endif
