#include "app/findings.h"

#include <stdio.h>
#include <string.h>

#include "app/paint.h"
#include "base/buffer.h"
#include "base/printable.h"
#include "script/script_check.h"

void gw_findings_put(struct gw_buffer *out, const char *name, const char *value)
{
    gw_buffer_appendf(out, "%s\"%s\":", out->length > 1 ? "," : "", name);
    gw_buffer_append_json_string(out, value, strlen(value));
}

void gw_findings_print_json(struct gw_findings *findings, const struct gw_buffer *object)
{
    printf("%s%.*s", findings->has_printed ? ",\n" : "", (int)object->length, object->data);
    findings->has_printed = true;
}

static void print_json(struct gw_findings *findings, const struct gw_script_finding *finding)
{
    struct gw_buffer line;
    gw_buffer_init(&line, 0);
    gw_buffer_append_char(&line, '{');
    gw_findings_put(&line, "severity", finding->is_warning ? "warning" : "error");
    gw_findings_put(&line, "code", finding->err->id);
    gw_findings_put(&line, "where", finding->err->path);
    gw_findings_put(&line, "message", finding->err->message);
    if (finding->pointer[0])
        gw_findings_put(&line, "pointer", finding->pointer);
    if (finding->hint[0])
        gw_findings_put(&line, "hint", finding->hint);
    if (finding->tenant_id[0])
        gw_findings_put(&line, "tenant_id", finding->tenant_id);
    gw_buffer_append_char(&line, '}');
    gw_findings_print_json(findings, &line);
    gw_buffer_fini(&line);
}

void gw_findings_print(void *arg, const struct gw_script_finding *finding)
{
    struct gw_findings *findings = arg;
    struct gw_paint paint = gw_paint_for(stdout);
    const char *where = finding->err->path[0] ? finding->err->path : "policies";
    if (findings->wants_json) {
        print_json(findings, finding);
        return;
    }
    printf("%s%s%s: %s%s%s: %s (%s)\n", paint.bold, gw_printable(where).text, paint.plain, finding->is_warning ? paint.dim : paint.bad,
           finding->is_warning ? "warning" : "error", paint.plain, gw_printable(finding->err->message).text, finding->err->id);
    if (finding->hint[0])
        printf("    %shint:%s %s\n", paint.dim, paint.plain, gw_printable(finding->hint).text);
}
