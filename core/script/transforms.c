#include "script/transforms.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "script/sandbox.h"
#include "script/source_line.h"
#include "script/sources.h"

/* The file that decides, and the one below it: the same when no tenant's lens takes its place. */
static const char *const modules[] = {"policy.token_lens", "defaults.token_lens"};
#define MODULE_COUNT (sizeof modules / sizeof *modules)

static const char *const what_names[GW_TRANSFORM_COUNT] = {
    [GW_TRANSFORM_BLOCK] = "block", [GW_TRANSFORM_TOKEN] = "token", [GW_TRANSFORM_MESSAGE] = "message"};

const char *gw_transform_what_name(enum gw_transform_what what) { return what_names[what]; }

/* value: one file being looked at */
struct look {
    struct gw_sandbox *sandbox;
    const struct gw_source *source;
    struct gw_error *err;
};

/* At the line of `word` behind that of `transforms`, else at the latter. */
static int refuse(const struct look *look, const char *word, const char *message)
{
    unsigned from = gw_source_line_of(look->source, "transforms", 1);
    unsigned line = gw_source_line_of(look->source, word, from);
    if (!line)
        line = from;
    gw_error_set(look->err, GW_EINVAL, "script_bad_shape", "%s", message);
    snprintf(look->err->path, sizeof look->err->path, "%s:%u", look->source->path, line ? line : 1);
    return GW_EINVAL;
}

static int refuse_member(const struct look *look, const char *name, const char *member, const char *what)
{
    char message[256];
    snprintf(message, sizeof message, "transforms.%.64s.%.64s %s", name, member, what);
    return refuse(look, member, message);
}

static bool is_known(const char *member)
{
    for (size_t i = 0; i < GW_TRANSFORM_COUNT; i++)
        if (strcmp(member, what_names[i]) == 0)
            return true;
    return false;
}

/* The outline of a function is `true`, and so is the value true. 1: it is the former. */
static int has_function(const struct look *look, const char *name, const char *member)
{
    char function[GW_MODULE_NAME_MAX + 64];
    int length = snprintf(function, sizeof function, "/transforms/%s/%s", name, member);
    if (length < 0 || (size_t)length >= sizeof function || strchr(name, '/'))
        return 0;
    return gw_sandbox_has(look->sandbox, look->source->module, function, look->err);
}

static int check_member(const struct look *look, const char *name, const char *member)
{
    if (!is_known(member))
        return refuse_member(look, name, member, "is no function of a transform: there are block, token and message");
    int answer = has_function(look, name, member);
    if (answer < 0)
        return answer;
    return answer ? GW_OK : refuse_member(look, name, member, "must be a function");
}

static int check_one(const struct look *look, const char *name, const struct gw_json *transform)
{
    char message[256];
    void *iterator = NULL;
    const char *member;
    struct gw_json *value;
    int status = GW_OK;
    bool is_table = gw_json_is_object(transform) && gw_json_count(transform) > 0;
    snprintf(message, sizeof message, "transforms.%.64s must be a table of functions block, token or message, of at least one", name);
    if (!is_table)
        return refuse(look, name, message);
    while (!status && gw_json_next(transform, &iterator, &member, &value))
        status = check_member(look, name, member);
    return status;
}

static bool is_empty(const struct gw_json *transforms) { return !transforms || gw_json_count(transforms) == 0; }

/* *out is what the file exports, NULL when it exports none: a new reference. */
static int read_transforms(const struct look *look, struct gw_json **out)
{
    struct gw_json *outline = NULL;
    int status = gw_sandbox_outline(look->sandbox, look->source->module, &outline, look->err);
    struct gw_json *transforms = status ? NULL : gw_json_get(outline, "transforms");
    bool is_table = !transforms || gw_json_is_object(transforms) || (gw_json_is_array(transforms) && is_empty(transforms));
    if (!status && !is_table)
        status = refuse(look, "transforms", "transforms must be a table of transforms by name");
    *out = status || is_empty(transforms) ? NULL : gw_json_ref(transforms);
    gw_json_unref(outline);
    return status;
}

int gw_transforms_check(struct gw_sandbox *sandbox, const struct gw_source *source, struct gw_error *err)
{
    struct look look = {sandbox, source, err};
    struct gw_json *transforms, *value;
    void *iterator = NULL;
    const char *name;
    int status = read_transforms(&look, &transforms);
    while (!status && transforms && gw_json_next(transforms, &iterator, &name, &value))
        status = check_one(&look, name, value);
    gw_json_unref(transforms);
    return status;
}

/* 1: found; 0: this file has none of that name. */
static int find_in(const struct look *look, const char *name, struct gw_found_transform *out)
{
    struct gw_json *transforms;
    int status = read_transforms(look, &transforms);
    const struct gw_json *transform = status || !transforms ? NULL : gw_json_get(transforms, name);
    if (transform)
        status = check_one(look, name, transform);
    *out = (struct gw_found_transform){.module = look->source->module};
    for (size_t i = 0; transform && !status && i < GW_TRANSFORM_COUNT; i++)
        out->has[i] = gw_json_get(transform, what_names[i]) != NULL;
    bool is_found = transform != NULL;
    gw_json_unref(transforms);
    return status ? status : is_found;
}

int gw_transforms_find(struct gw_sandbox *sandbox, const struct gw_sources *sources, const char *name, struct gw_found_transform *out,
                       struct gw_error *err)
{
    for (size_t i = 0; i < MODULE_COUNT; i++) {
        struct look look = {sandbox, gw_sources_find(sources, modules[i]), err};
        int found = look.source ? find_in(&look, name, out) : 0;
        if (found != 0)
            return found < 0 ? found : GW_OK;
    }
    const struct gw_source *lens = gw_sources_find(sources, modules[0]);
    unsigned line = gw_source_line_of(lens, name, 1);
    gw_error_set(err, GW_EINVAL, "plan_bad_shape",
                 "there is no transform \"%.96s\": neither this file nor the default that it replaces has it", name);
    snprintf(err->path, sizeof err->path, "%s:%u", lens->path, line ? line : 1);
    return GW_EINVAL;
}

int gw_transforms_exist(struct gw_sandbox *sandbox, const struct gw_sources *sources, struct gw_error *err)
{
    for (size_t i = 0; i < MODULE_COUNT; i++) {
        struct look look = {sandbox, gw_sources_find(sources, modules[i]), err};
        struct gw_json *transforms = NULL;
        int status = look.source ? read_transforms(&look, &transforms) : GW_OK;
        bool is_there = transforms != NULL;
        gw_json_unref(transforms);
        if (status || is_there)
            return status ? status : 1;
    }
    return 0;
}
