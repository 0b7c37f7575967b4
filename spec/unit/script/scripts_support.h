/* scripts_support.h — folders of policies for the tests of script.h, and a clock that stands still. The library is the shipped one. */
#ifndef GW_SPEC_SCRIPT_SCRIPTS_SUPPORT_H
#define GW_SPEC_SCRIPT_SCRIPTS_SUPPORT_H

#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "hub/ports.h"
#include "script/script.h"

struct gw_plan;

/* A token lens whose function `lens(actor, scope)` has that body. */
#define LENS(body) "return { name = 't', version = 1, api = 1, lens = function(actor, scope) " body " end }"

/* value: a folder with policies/ and canvases/, and what is made of it */
struct script_world {
    char root[64];
    uint64_t now_ms;
    struct gw_clock clock;
    struct gw_metrics *metrics;
    struct gw_scripts_opts opts;
    struct gw_scripts *scripts;
    struct gw_script_host *host;
};

/* A cmocka setup and teardown; *state is the world, with nothing loaded. */
int script_world_setup(void **state);
int script_world_teardown(void **state);
/* Writes root/name, making folders; text NULL removes the file or folder. */
void world_write(const struct script_world *world, const char *name, const char *text);
void world_open(struct script_world *world); /* scripts and a host; both must come */
/* Stages and commits; the error's id, or "". */
const char *world_reload(struct script_world *world, const char *tenant_id);
/* What the lens says for an actor "ann" of that role: the error's id, or "" with *plan a new reference (NULL: not wanted). */
const char *world_lens(struct script_world *world, const char *tenant_id, const char *role, struct gw_plan **plan);
/* Compares the list (gw_scripts_list) at a pointer of members, "defaults/status", with canonical JSON. */
void assert_listed(struct script_world *world, const char *path, const char *json);

#endif
