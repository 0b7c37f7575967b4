/* generation.h — scripts that stand together: those of all tenants, or one tenant's overlay with what it is laid over. Immutable once built, reference-counted, shared
 * by threads. Reading folders blocks. For script*.c and generation*.c alone.
 *
 * Modules: policy.X is policies/X.lua, or the tenant's file of that name; defaults.X is always the former; canvas.TYPE.X is canvases/TYPE/X.lua; atoms.X is
 * lua/atoms/X.lua. policy.ceiling is read as data. */
#ifndef GW_SCRIPT_GENERATION_H
#define GW_SCRIPT_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/refs.h"
#include "script/script.h"

struct gw_overlay;
struct gw_plan;
struct gw_sources;

#define GW_SCRIPT_API 1 /* what a file's `api` must say */

struct gw_generation {
    struct gw_refs refs;
    char tenant_id[GW_ID_MAX + 1]; /* "": the defaults */
    uint64_t number;               /* process-wide; set before it is shared */
    uint64_t version;              /* of an overlay from the registry; 0: from its folder */
    int64_t loaded_at_ms;
    uint8_t digest[32];             /* of its own files */
    uint8_t runs[32];               /* of all that a state loads */
    struct gw_generation *defaults; /* owned reference; NULL: these are they */
    struct gw_sources *own;         /* the tenant's files; of the defaults: all */
    struct gw_sources *sources;     /* what a state loads */
    struct gw_manifests *manifests; /* of the defaults */
    struct gw_plan *ceiling;        /* NULL: none */
    struct gw_script_limits limits; /* of its calls: the process's, cut by the ceilings */
};

struct gw_generation *gw_generation_ref(struct gw_generation *generation);
void gw_generation_unref(struct gw_generation *generation); /* NULL is fine */

/* Reads policies_dir, canvases_dir and lua_dir. Not checked yet. */
int gw_generation_read(const struct gw_scripts_opts *opts, struct gw_generation **out, struct gw_error *err);
/* Lays an overlay, whose files it takes, over `defaults`. */
int gw_generation_lay(const struct gw_scripts_opts *opts, struct gw_overlay *overlay, struct gw_generation *defaults,
                      struct gw_generation **out, struct gw_error *err);
/* Reads the tenant's (overlay.h) and does so. *out is NULL when it has none. */
int gw_generation_read_overlay(const struct gw_scripts_opts *opts, const char *tenant_id, struct gw_generation *defaults,
                               struct gw_generation **out, struct gw_error *err);
/* The overlay over other defaults. With keeps_sources it runs what it ran before, under the new ceiling. NULL with *err. */
struct gw_generation *gw_generation_rebase(const struct gw_scripts_opts *opts, const struct gw_generation *overlay,
                                           struct gw_generation *defaults, bool keeps_sources, struct gw_error *err);
/* What a sandbox of a generation loads before its first call: policies and canvases' scripts, each of which the core may call. The library and the defaults below
 * an overlay are loaded when these name them. */
bool gw_generation_is_entry(const char *module);
/* Its own files load, say api 1, and have their hooks; of the defaults also: there is a token lens, and each canvas's commands.lua fits its manifest.
 * (generation_check.c) */
int gw_generation_check(const struct gw_generation *generation, const struct gw_clock *clock, struct gw_error *err);
/* The same of each of its own files, whatever came of those before; answers how many failed. */
size_t gw_generation_check_each(const struct gw_generation *generation, const struct gw_clock *clock,
                                void (*found)(void *arg, const struct gw_error *err), void *arg);

#endif
