/* The answer of `atoms explain`, for people and for programs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/explain.h"
#include "app/findings.h"
#include "app/paint.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/printable.h"
#include "hub/plan.h"
#include "hub/pointer.h"
#include "script/script_origin.h"

static const struct gw_json *follow(const struct gw_json *value, const char *pointer)
{
    char step[128];
    while (value && gw_pointer_next(&pointer, step, sizeof step))
        value = gw_json_is_array(value) ? gw_json_at(value, strtoul(step, NULL, 10)) : gw_json_get(value, step);
    return value;
}

/* What decides, as its author wrote it: a glob, or the member's name. */
static const char *deciding_text(const struct gw_plan *plan, const struct gw_plan_reason *reason)
{
    const struct gw_plan *layer = strcmp(reason->layer, "ceiling") == 0 ? plan->ceiling : plan;
    const struct gw_json *source = layer ? gw_plan_source(layer) : NULL, *value = source ? follow(source, reason->pointer) : NULL;
    if (gw_json_is_string(value))
        return gw_json_text(value, NULL);
    return strlen(reason->pointer) > 1 && strchr(reason->pointer + 1, '/') == NULL ? reason->pointer + 1 : NULL;
}

static void print_reason(const struct gw_explain_answer *a)
{
    const char *decides = a->plan ? deciding_text(a->plan, a->reason) : NULL, *layer = a->reason->layer;
    if (decides == a->reason->pointer + 1) /* which is printed anyway */
        decides = NULL;
    if (a->question->refusal && strcmp(layer, "gateway") == 0)
        printf("  because %s\n", a->question->refusal);
    else if (strcmp(layer, "lens") == 0)
        printf("  because the lens answers nil, which admits to nothing, %s\n", gw_printable(a->origin->where).text);
    else if (strcmp(layer, "bearer") == 0)
        printf("  because of the bearer's Tokens %s\n", gw_printable(a->ask->tokens).text);
    else
        printf("  because of %s %s%s%s%s, %s%s\n", layer, gw_printable(a->reason->pointer).text, decides ? " \"" : "",
               gw_printable(decides).text, decides ? "\"" : "", a->origin->is_near ? "near " : "", gw_printable(a->origin->where).text);
}

static bool is_transformed(const struct gw_explain_answer *a)
{
    return a->plan && a->plan->transform && a->question->is_shown && a->reason->is_admitted;
}

/* The only way when none of the direct ones is admitted: what that stands for, its author knows. NULL: there is a direct one, or none at all. */
static const char *indirect_way(const struct gw_explain_answer *a)
{
    const struct gw_policy_question *asks = &a->question->asks;
    if (!a->plan || !a->reason->is_admitted)
        return NULL;
    for (size_t i = 0; i < a->question->direct_ways; i++)
        if (gw_plan_admits_command(a->plan, asks->ways[i]))
            return NULL;
    return gw_policy_question_way(asks, a->plan);
}

static void print_text(const struct gw_explain_answer *a)
{
    struct gw_paint paint = gw_paint_for(stdout);
    bool may = a->reason->is_admitted;
    printf("%s (%s, %s) of %s %s%s%s %s\n", gw_printable(a->ask->actor).text, gw_printable(a->ask->kind).text,
           gw_printable(a->ask->role).text, gw_printable(a->ask->tenant).text, may ? paint.good : paint.bad, may ? "may" : "may not",
           paint.plain, gw_printable(a->question->text).text);
    print_reason(a);
    if (is_transformed(a))
        printf("  as the transform %s shows it\n", gw_printable(a->plan->transform).text);
    if (indirect_way(a))
        printf("  but by no command for just that: at most as part of another, such as %s\n", gw_printable(indirect_way(a)).text);
    if (a->question->is_undeclared)
        printf("  no canvas declares this Token: as long as none does, nobody can set it\n");
    if (a->ask->names_tenant && a->is_by_defaults)
        printf("  %s has no policies of its own there: so the defaults say\n", gw_printable(a->ask->tenant).text);
    printf("  %spolicies in %s (%.12s)", paint.dim, gw_printable(a->folder).text, a->origin->digest);
    if (a->plan)
        printf(", class %016llx", (unsigned long long)a->plan->class_id);
    printf("%s\n", paint.plain);
}

static void print_json(const struct gw_explain_answer *a)
{
    struct gw_buffer out;
    char class_id[20];
    const char *decides = a->plan ? deciding_text(a->plan, a->reason) : NULL;
    gw_buffer_init(&out, 0);
    gw_buffer_appendf(&out, "{\"is_admitted\":%s", a->reason->is_admitted ? "true" : "false");
    gw_findings_put(&out, "question", a->question->text);
    gw_findings_put(&out, "layer", a->reason->layer);
    gw_findings_put(&out, "pointer", a->reason->pointer);
    if (decides)
        gw_findings_put(&out, "decides", decides);
    if (a->question->refusal && strcmp(a->reason->layer, "gateway") == 0)
        gw_findings_put(&out, "decides", a->question->refusal);
    if (a->origin->where[0])
        gw_findings_put(&out, "where", a->origin->where);
    gw_buffer_appendf(&out, ",\"is_near\":%s", a->origin->is_near ? "true" : "false");
    if (is_transformed(a))
        gw_findings_put(&out, "transform", a->plan->transform);
    if (indirect_way(a))
        gw_findings_put(&out, "only_by", indirect_way(a));
    gw_buffer_appendf(&out, ",\"is_declared\":%s", a->question->is_undeclared ? "false" : "true");
    gw_buffer_appendf(&out, ",\"is_by_defaults\":%s", a->is_by_defaults ? "true" : "false");
    gw_findings_put(&out, "digest", a->origin->digest);
    snprintf(class_id, sizeof class_id, "%016llx", a->plan ? (unsigned long long)a->plan->class_id : 0);
    if (a->plan)
        gw_findings_put(&out, "class", class_id);
    printf("%.*s}\n", (int)out.length, out.data);
    gw_buffer_fini(&out);
}

void gw_explain_print(const struct gw_explain_answer *answer)
{
    if (answer->ask->wants_json)
        print_json(answer);
    else
        print_text(answer);
}

void gw_explain_print_error(const struct gw_error *err, bool wants_json)
{
    struct gw_buffer out;
    fprintf(stderr, "atoms explain: %s%s%s (%s)\n", gw_printable(err->path).text, err->path[0] ? ": " : "", gw_printable(err->message).text,
            err->id);
    if (!wants_json)
        return;
    gw_buffer_init(&out, 0);
    gw_buffer_append_char(&out, '{');
    gw_findings_put(&out, "code", err->id);
    gw_findings_put(&out, "where", err->path);
    gw_findings_put(&out, "message", err->message);
    printf("%.*s}\n", (int)out.length, out.data);
    gw_buffer_fini(&out);
}
