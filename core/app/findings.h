/* findings.h — what a look through policies has found, printed on stdout: for people, or as members of a JSON list. */
#ifndef GW_APP_FINDINGS_H
#define GW_APP_FINDINGS_H

#include <stdbool.h>

struct gw_buffer;
struct gw_script_finding;

/* value */
struct gw_findings {
    bool wants_json, has_printed;
};

/* The `found` of struct gw_script_check; `arg` is the struct gw_findings. */
void gw_findings_print(void *arg, const struct gw_script_finding *finding);
/* One more object of the JSON list. */
void gw_findings_print_json(struct gw_findings *findings, const struct gw_buffer *object);
/* Appends `"name":"value"`, after a comma where it is not the first of an object. */
void gw_findings_put(struct gw_buffer *out, const char *name, const char *value);

#endif
