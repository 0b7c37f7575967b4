/* rule_file.h — what a file of policies/commands returned: is it a rule that can be kept? Asked before a generation is switched to, and again where its rules are put to
 * work, since a tenant's first generation is read when the tenant comes, and is not checked ahead. Pure; any thread. */
#ifndef GW_SCRIPT_RULE_FILE_H
#define GW_SCRIPT_RULE_FILE_H

#include <stdbool.h>

struct gw_json;

/* value; NULLs: there is no fault */
struct gw_rule_fault {
    const char *id, *message;
    const char *about; /* the member; NULL: what is not there */
};

/* `data`: what the file returned, without functions. `has_validate`: one of these is validate. script_api, script_bad_shape, script_missing. */
struct gw_rule_fault gw_rule_fault(const struct gw_json *data, bool has_validate);

#endif
