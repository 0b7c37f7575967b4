#include "app/check_runs.h"

#include <stdio.h>
#include <string.h>

#include "app/findings.h"
#include "app/paint.h"
#include "app/run_check.h"
#include "app/script_tool.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/metrics.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "hub/manifest.h"
#include "hub/state_review.h"

#define VALUE_SHOWN 96 /* bytes of its canonical text */

/* Appends the value as text, its beginning alone where it is long. */
static void shorten(const struct gw_json *value, struct gw_buffer *out)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    if (value)
        gw_json_write_canonical(value, &text);
    size_t length = text.length > VALUE_SHOWN ? gw_utf8_floor(text.data, VALUE_SHOWN) : text.length;
    if (length)
        gw_buffer_append(out, text.data, length);
    if (length < text.length)
        gw_buffer_append_text(out, "…");
    gw_buffer_append_char(out, '\0');
    gw_buffer_fini(&text);
}

static void put_known(struct gw_buffer *out, const char *name, const char *value)
{
    if (value && value[0])
        gw_findings_put(out, name, value);
}

static void print_json(struct gw_findings *findings, const char *run, const struct gw_state_misfit *misfit, const char *value)
{
    struct gw_buffer line;
    gw_buffer_init(&line, 0);
    gw_buffer_append_char(&line, '{');
    gw_findings_put(&line, "severity", "warning");
    gw_findings_put(&line, "code", misfit->err->id);
    gw_findings_put(&line, "message", misfit->err->message);
    gw_findings_put(&line, "run", run);
    put_known(&line, "canvas_id", misfit->canvas_id);
    put_known(&line, "canvas_type", misfit->canvas_type);
    put_known(&line, "block_id", misfit->block_id);
    put_known(&line, "kind", misfit->block_kind);
    put_known(&line, "token", misfit->token);
    put_known(&line, "path", misfit->err->path);
    put_known(&line, "value", value);
    gw_buffer_append_char(&line, '}');
    gw_findings_print_json(findings, &line);
    gw_buffer_fini(&line);
}

static void print_line(const char *run, const struct gw_state_misfit *misfit, const char *value)
{
    struct gw_paint paint = gw_paint_for(stdout);
    printf("%s%s%s: %swarning%s: ", paint.bold, run, paint.plain, paint.dim, paint.plain);
    if (misfit->token[0])
        printf("Token %s", misfit->token);
    else
        printf("canvas %s (%s)", misfit->canvas_id, misfit->canvas_type);
    if (misfit->block_id[0])
        printf(", block %s (%s)", misfit->block_id, misfit->block_kind);
    printf("%s%s: %s (%s)%s%s\n", misfit->err->path[0] ? " " : "", gw_printable(misfit->err->path).text,
           gw_printable(misfit->err->message).text, misfit->err->id, value[0] ? ": " : "", gw_printable(value).text);
}

static void on_misfit(void *arg, const char *run, const struct gw_state_misfit *misfit)
{
    struct gw_findings *findings = arg;
    struct gw_buffer value;
    gw_buffer_init(&value, 0);
    shorten(misfit->value, &value);
    const char *shown = value.has_failed ? "" : value.data;
    if (findings->wants_json)
        print_json(findings, run, misfit, shown);
    else
        print_line(run, misfit, shown);
    gw_buffer_fini(&value);
}

static void on_damaged(void *arg, const char *run, const struct gw_error *err)
{
    struct gw_findings *findings = arg;
    struct gw_paint paint = gw_paint_for(stdout);
    struct gw_buffer line;
    if (!findings->wants_json) {
        printf("%s%s%s: %serror%s: %s (%s)\n", paint.bold, run, paint.plain, paint.bad, paint.plain, gw_printable(err->message).text,
               err->id);
        return;
    }
    gw_buffer_init(&line, 0);
    gw_buffer_append_char(&line, '{');
    gw_findings_put(&line, "severity", "error");
    gw_findings_put(&line, "code", err->id);
    gw_findings_put(&line, "message", err->message);
    gw_findings_put(&line, "run", run);
    gw_buffer_append_char(&line, '}');
    gw_findings_print_json(findings, &line);
    gw_buffer_fini(&line);
}

/* The canvases that a start would mount. */
static int read_manifests(const struct gw_script_tool *tool, struct gw_manifests **out, struct gw_error *err)
{
    struct gw_scripts_opts opts = tool->opts;
    struct gw_scripts *scripts = NULL;
    opts.metrics = gw_metrics_create();
    int status = gw_scripts_create(&opts, &scripts, err);
    if (!status)
        *out = gw_scripts_manifests(scripts);
    gw_scripts_destroy(scripts);
    gw_metrics_destroy(opts.metrics);
    return status;
}

int gw_check_runs_print(const struct gw_script_tool *tool, struct gw_findings *findings, struct gw_check_runs *out, struct gw_error *err)
{
    char spine[4096];
    struct gw_manifests *manifests;
    int length = snprintf(spine, sizeof spine, "%s/spine.db", tool->config.data_dir);
    if (strcmp(tool->config.spine, "sqlite") != 0)
        return gw_error_set(err, GW_EINVAL, "spine_memory", "the configured spine records nothing that could be looked at");
    if (length < 0 || (size_t)length >= sizeof spine)
        return gw_error_set(err, GW_EINVAL, "config_value", "data_dir is too long");
    int status = read_manifests(tool, &manifests, err);
    if (status)
        return status;
    struct gw_run_check check = {.spine = spine, .manifests = manifests, .found = on_misfit, .damaged = on_damaged, .arg = findings};
    status = gw_run_check_all(&check, err);
    *out = (struct gw_check_runs){check.run_count, check.misfit_count, check.damaged_count};
    gw_manifests_unref(manifests);
    return status;
}
