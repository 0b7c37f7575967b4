#include "support/plans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/plan_compile.h"

struct gw_plan full_plan = {
    .refs = {1}, .class_id = 1, .sees_all = true, .sees_history = true, .sees_sidecars = true, .sees_presence = true, .writes_all = true};

struct gw_plan *plan_of(const char *json)
{
    static const struct gw_json_limits limits = {.max_bytes = 1 << 16, .max_depth = 16, .max_nodes = 4096};
    struct gw_json *source = NULL;
    struct gw_plan *plan = NULL;
    struct gw_error err = {0};
    if (gw_json_parse(json, strlen(json), &limits, &source, &err))
        fail_msg("%s %s", err.id, err.message);
    static const uint8_t transform[32] = {7};
    struct gw_plan_opts opts = {.tenant_id = "acme", .source = source, .actor_id = "ann", .transform_hash = transform};
    if (gw_plan_compile(&opts, &plan, &err))
        fail_msg("%s: %s", err.path, err.message);
    gw_json_unref(source);
    return plan;
}

struct gw_plan *plan_of_tokens(const char *globs)
{
    char json[1024];
    snprintf(json, sizeof json, "{" PLAN_SEES "," PLAN_TREES ",\"tokens\":{\"read\":%s,\"write\":%s}}", globs, globs);
    return plan_of(json);
}
