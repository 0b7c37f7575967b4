/* check_look.h — what the files of script_check.h share: one generation that is looked through, and where findings go. For script_check*.c and check_*.c alone. */
#ifndef GW_SCRIPT_CHECK_LOOK_H
#define GW_SCRIPT_CHECK_LOOK_H

#include <stdbool.h>

#include "script/generation.h"
#include "script/script_check.h"

struct gw_map;
struct gw_sandbox;
struct gw_source;

/* value */
struct gw_check_look {
    struct gw_script_check *check;
    const struct gw_scripts_opts *opts;
    const struct gw_generation *generation; /* NULL: it is being read */
    const char *tenant_id;                  /* "": the defaults */
    struct gw_map *told;                    /* what was told already */
};

/* Tells it, unless it was told before: by id, place and `key` (NULL: the message). `pointer` and `hint` may be NULL; without a hint, gw_check_hint's. */
struct gw_check_note {
    bool is_warning;
    const struct gw_error *err;
    const char *pointer, *hint, *key;
};
void gw_check_tell(const struct gw_check_look *look, const struct gw_check_note *note);
/* A sandbox of the generation, in which its hooks can be called; 0, or as gw_sandbox_create. */
int gw_check_sandbox(const struct gw_check_look *look, struct gw_sandbox **out, struct gw_error *err);
/* What to do about it, or "". `is_asked`: it was found by calling a function, not by loading a file. */
const char *gw_check_hint(const struct gw_error *err, bool is_asked);
/* Sets err->path to "file:line". */
void gw_check_place(const struct gw_source *source, unsigned line, struct gw_error *err);

/* Lists of globs. May it mean this word: what stands before its first star begins it; without a star it is it. `glob` without "!". */
bool gw_check_may_mean(const char *glob, const char *word);
/* A command that there is, built in or of a canvas. */
bool gw_check_is_command(const struct gw_check_look *look, const char *glob);

/* Its plans: of the roles that ship and of those that its lens speaks of. (check_plans.c) */
void gw_check_plans(const struct gw_check_look *look);
/* Its hooks that can be asked about nothing in particular. (check_calls.c) */
void gw_check_calls(const struct gw_check_look *look);
/* What its files hold beside what a reload asks for. (check_files.c) */
void gw_check_files(const struct gw_check_look *look);
/* What lies in its folders beside them. (check_entries.c) */
void gw_check_entries(const struct gw_check_look *look);
/* The specs beside it. (check_specs.c) */
void gw_check_specs(const struct gw_check_look *look);

#endif
