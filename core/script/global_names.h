/* global_names.h — the globals that a Lua source reads and assigns, found in its bytecode: nothing of it runs. For tools; blocking. */
#ifndef GW_SCRIPT_GLOBAL_NAMES_H
#define GW_SCRIPT_GLOBAL_NAMES_H

#include <stdbool.h>

struct gw_error;
struct gw_source;

/* value; borrowed for the call */
struct gw_global_use {
    const char *name;
    unsigned line;
    bool is_assigned;
};

/* `told` gets each use, in the order of the code; NULL: only compiles. GW_EINVAL script_syntax with file:line; GW_ENOMEM. */
int gw_global_names(const struct gw_source *source, void (*told)(void *arg, const struct gw_global_use *use), void *arg,
                    struct gw_error *err);

#endif
