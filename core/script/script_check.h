/* script_check.h — looks through policies and canvases as a person would want it before a reload: not the first fault alone but each, and what is lawful but
 * unwise. Blocking; nothing is in force afterwards. The law is generation.h's: what passes without an error here can be switched to. */
#ifndef GW_SCRIPT_SCRIPT_CHECK_H
#define GW_SCRIPT_SCRIPT_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct gw_scripts_opts;

/* value: one fault, or one thing to think about; borrowed for the call */
struct gw_script_finding {
    const char *tenant_id; /* "": the defaults */
    bool is_warning;
    const struct gw_error *err; /* id, file:line, message */
    const char *pointer;        /* the member that it is about, as a JSON pointer; "" */
    const char *hint;           /* what to do, or "" */
};

/* value */
struct gw_script_check {
    void (*found)(void *arg, const struct gw_script_finding *finding);
    void *arg;
    size_t file_count, tenant_count, error_count, warning_count; /* the answer */
};

/* Reads the defaults and the overlay of every tenant that has one; what cannot be read is told and passed over. Each finding is told once, whatever it is met for.
 * Errors are those of gw_scripts_create, of the plans of all roles that the lens speaks of, and of specs that are no Lua. Warnings:
 *   plan_per_actor        the plan depends on who exactly asks
 *   unknown_event, unknown_command, unknown_kind, unknown_canvas, unknown_prop    a list names what there is not
 *   bad_glob              nothing but * stands for other characters
 *   unknown_global, assigned_global                                               in a function
 *   unused_file           nothing asks for it or requires it; unused_member: likewise of what a file returns
 *   missing_reducer       a manifest declares a command that commands.lua does not have
 *   token_disagreement    two manifests declare one Token differently */
void gw_scripts_check(const struct gw_scripts_opts *opts, struct gw_script_check *check);

/* value: policies of one tenant to go into the registry */
struct gw_script_put {
    const char *tenant_id, *folder;
    struct gw_script_check check; /* its `found` is told what is wrong with them */
    uint64_t version;             /* the answer: that it is in the registry */
};

/* Checks the folder as that tenant's overlay over the defaults on the disk, and writes it to the registry when it has no fault; warnings do not stop it. What is not found
 * in a file comes as *err alone: GW_EINVAL bad_id, overlay_empty, and overlay_faulty after findings · GW_ECONFLICT overlay_shadowed: the tenant has a folder in
 * policies_dir, which goes before the registry · of the defaults, as gw_scripts_create · of the folder, as of any · of the registry, as its port. */
int gw_scripts_put(const struct gw_scripts_opts *opts, struct gw_script_put *put, struct gw_error *err);
/* Takes the version that was written back: the gateway refuses it. Errors of the port's `withdraw`. */
int gw_scripts_take_back(const struct gw_scripts_opts *opts, const struct gw_script_put *put, struct gw_error *err);

#endif
