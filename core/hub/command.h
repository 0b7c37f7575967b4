/* command.h — a command as it arrives, parsed and shape-checked but not yet judged. Pure; any thread, one at a time. */
#ifndef GW_HUB_COMMAND_H
#define GW_HUB_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "hub/event.h"

struct gw_error;
struct gw_json;
struct gw_plan;

/* value; text fields are "" when absent */
struct gw_command {
    char command_id[GW_ID_MAX + 1];
    char type[GW_ID_MAX + 1]; /* "block.splice" */
    struct gw_scope scope;    /* all required ids present and valid */
    char canvas_id[GW_ID_MAX + 1];
    char origin[GW_ID_MAX + 1];
    bool has_n, has_base;
    int64_t n;                 /* dense per origin, from 1 */
    uint64_t base_seq;         /* set by the pipeline from the opened base cursor */
    const char *base_cursor;   /* sealed text; borrowed from `body` */
    struct gw_json *args;      /* an object, empty when the command has none; owned reference */
    struct gw_json *condition; /* the member `if`; borrowed, or NULL */
    struct gw_json *body;      /* the whole command; owned reference */
    struct gw_json *flow;      /* that a run.start names, checked; set by the pipeline; owned reference, NULL: there is none */
    bool is_flow_known;        /* the registry was asked */
    uint8_t digest[32];        /* SHA-256 of the canonical body: same id, other digest = conflict */
};

/* Checks ids and shapes; unknown members are refused. GW_EINVAL with the path and one of: missing_id (/run_id), bad_id, unknown_member,
 * bad_shape, out_of_range (/n), missing_member (origin and n go together). Takes a reference on success; on failure *out needs no fini. */
int gw_command_parse(struct gw_json *body, struct gw_command *out, struct gw_error *err);
void gw_command_fini(struct gw_command *command);

/* Names of the built-in commands; NULL past the last. (resolve.c) */
const char *gw_command_builtin(size_t index);
/* May an author of that kind send commands of that type at all, whatever its lens says? The graph is written by those who do the work, not by those who look on. */
bool gw_command_is_for(const char *type, const char *author_kind);
/* Does the plan let write the part of the run that commands of the type are about as a whole, such as the chat? Of blocks and Tokens it depends on which: true. */
bool gw_command_may_write(const char *type, const struct gw_plan *plan);

#endif
