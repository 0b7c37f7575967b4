/* Hooks that are asked about what every run can have: context of an empty run, a plain log line. What fails of that fails always. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "script/check_look.h"
#include "script/context_items.h"
#include "script/sandbox.h"
#include "script/sanitized_line.h"
#include "script/source_line.h"
#include "script/sources.h"

#define SCOPE "{\"tenant_id\":\"acme\",\"mode\":\"dev\",\"project_id\":\"p1\",\"surface_id\":\"web\",\"app_id\":\"demo\",\"run_id\":\"r1\"}"

/* value */
struct trial {
    const char *module, *function, *args[2];
    int (*judge)(const struct gw_json *result, struct gw_error *err);
    const char *hint;
};

static const struct trial trials[] = {
    {"policy.context_lens",
     "context",
     {"{\"actor\":{\"id\":\"ann\",\"kind\":\"agent\",\"role\":\"planner\",\"claims\":{}},\"scope\":" SCOPE ",\"max_bytes\":32768}",
      "{\"cursor\":\"c\",\"canvases\":{},\"tokens\":{},\"graph\":{\"nodes\":{},\"edges\":{}},\"chat\":{\"messages\":{},\"order\":[]},"
      "\"left_out\":{\"blocks\":0,\"edges\":0,\"messages\":0,\"nodes\":0,\"texts\":0,\"tokens\":0}}"},
     gw_context_items_check,
     "so it was for a planner in an empty run, in which chat, graph, canvases and Tokens have nothing"},
    {"policy.sanitize",
     "sanitize",
     {"{\"level\":\"info\",\"message\":\"A line.\"}", SCOPE},
     gw_sanitized_line_check,
     "so it was for a line without fields: who logs one is refused"},
};

static struct gw_json *read_arg(const char *text)
{
    const struct gw_json_limits limits = {.max_bytes = 4096, .max_depth = 8, .max_nodes = 256};
    struct gw_json *value = NULL;
    struct gw_error ignored; /* the texts stand above */
    return gw_json_parse(text, strlen(text), &limits, &value, &ignored) ? NULL : value;
}

static void place(const struct gw_source *source, const struct trial *trial, struct gw_error *err)
{
    if (!err->path[0] || strcmp(err->path, source->path) == 0)
        gw_check_place(source, gw_source_line_of_function(source, trial->function), err);
}

static void try(const struct gw_check_look *look, struct gw_sandbox *sandbox, const struct trial *trial)
{
    const struct gw_source *source = gw_sources_find(look->generation->own, trial->module);
    struct gw_json *args[2] = {read_arg(trial->args[0]), read_arg(trial->args[1])}, *result = NULL;
    struct gw_sandbox_call call = {.module = trial->module, .function = trial->function, .args = args, .arg_count = 2, .result_count = 1};
    struct gw_sandbox_cost cost;
    struct gw_error err = {0};
    int status = args[0] && args[1] ? gw_sandbox_call(sandbox, &call, &result, &cost, &err) : GW_OK;
    if (!status && result)
        status = trial->judge(result, &err);
    gw_json_unref(result);
    gw_json_unref(args[0]);
    gw_json_unref(args[1]);
    if (!status)
        return;
    place(source, trial, &err);
    gw_check_tell(look, &(struct gw_check_note){.is_warning = true, .err = &err, .hint = trial->hint});
}

void gw_check_calls(const struct gw_check_look *look)
{
    struct gw_sandbox *sandbox;
    struct gw_error err;
    if (gw_check_sandbox(look, &sandbox, &err))
        return; /* which was told by those who looked before */
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++)
        if (gw_sources_find(look->generation->own, trials[i].module) &&
            gw_sandbox_has(sandbox, trials[i].module, trials[i].function, &err) == 1) /* else that was told */
            try(look, sandbox, &trials[i]);
    gw_sandbox_destroy(sandbox);
}
