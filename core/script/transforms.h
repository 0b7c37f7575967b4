/* transforms.h — what a token lens exports as `transforms`, and which file's transform a plan means by a name: that of the lens itself; where the lens is a tenant's and
 * has none of that name, that of the default which it takes the place of. A name that nothing bears shows nobody anything. Any thread, by the sandbox's. */
#ifndef GW_SCRIPT_TRANSFORMS_H
#define GW_SCRIPT_TRANSFORMS_H

#include <stdbool.h>

#include "hub/ports.h"

struct gw_error;
struct gw_sandbox;
struct gw_source;
struct gw_sources;

#define GW_TRANSFORM_COUNT 3 /* of enum gw_transform_what */

/* value: a transform as it will be called */
struct gw_found_transform {
    const char *module;
    bool has[GW_TRANSFORM_COUNT]; /* a function for that kind of value: without one it is shown as it is */
};

/* What its functions are called: "block", "token", "message". */
const char *gw_transform_what_name(enum gw_transform_what what);
/* script_bad_shape, and as gw_sandbox_data; plan_bad_shape: nothing is called so. err->path is file:line where it is known. */
int gw_transforms_find(struct gw_sandbox *sandbox, const struct gw_sources *sources, const char *name, struct gw_found_transform *out,
                       struct gw_error *err);
/* All that the file exports are tables of these functions, and of nothing else. */
int gw_transforms_check(struct gw_sandbox *sandbox, const struct gw_source *source, struct gw_error *err);
/* Does the lens, or the default below it, export any? 1, 0 or an error. */
int gw_transforms_exist(struct gw_sandbox *sandbox, const struct gw_sources *sources, struct gw_error *err);

#endif
