/* sandbox_support.h — what the tests of sandboxes share: one from texts, calls with JSON texts in and out. */
#ifndef GW_SPEC_SCRIPT_SANDBOX_SUPPORT_H
#define GW_SPEC_SCRIPT_SANDBOX_SUPPORT_H

#include "base/error.h"
#include "script/sandbox.h"

/* value: a module and its text; a list ends with a NULL module */
struct file {
    const char *module, *text;
};

/* Limits NULL: the defaults, but with a second of time, since sanitizers are slow. The path of a module is "<module>.lua". */
struct gw_sandbox *box_of(const struct file *files, const struct gw_sandbox_limits *limits);
struct gw_sandbox *stressed_box_of(const struct file *files);
/* Of one module, "m". */
struct gw_sandbox *box_of_text(const char *text);
void default_limits(struct gw_sandbox_limits *limits);

/* Calls m.f with the arguments, a JSON list, or NULL for none; `out` gets the result as canonical JSON. */
int call_f(struct gw_sandbox *box, const char *args, char *out, size_t size, struct gw_error *err);
/* A fresh sandbox of `text`, one call of f. */
void assert_gives(const char *text, const char *args, const char *result);
/* The same; `where` is the path, `what` a part of the message; either may be NULL. */
void assert_fails(const char *text, const char *args, const char *id, const char *where, const char *what);

#endif
