#include "app/cmd_repl.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/paint.h"
#include "app/script_tool.h"
#include "app/usage.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/printable.h"
#include "hub/event.h"
#include "script/script_eval.h"

#define ACTOR_BYTES 65536
#define LINE_BYTES  16384

/* value: who asks */
struct subject {
    struct gw_json *actor, *scope;
};

static const char usual_actor[] = "{\"id\":\"ann\",\"kind\":\"user\",\"role\":\"editor\",\"claims\":{}}";
static const char usual_scope[] =
    "{\"tenant_id\":\"%s\",\"mode\":\"dev\",\"project_id\":\"p1\",\"surface_id\":\"web\",\"app_id\":\"demo\"}";

static int parse(const char *text, size_t length, struct gw_json **out, struct gw_error *err)
{
    const struct gw_json_limits limits = {.max_bytes = ACTOR_BYTES, .max_depth = 8, .max_nodes = 1024};
    int status = gw_json_parse(text, length, &limits, out, err);
    if (status || gw_json_is_object(*out))
        return status;
    gw_json_unref(*out);
    *out = NULL;
    return gw_error_set(err, GW_EINVAL, "bad_shape", "an actor is an object {id, kind, role, claims}");
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

static int check_members(const struct gw_json *actor, struct gw_error *err)
{
    static const char *const members[] = {"id", "kind", "role", "claims", NULL};
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (gw_json_next(actor, &iterator, &name, &value))
        if (!is_one_of(name, members))
            return gw_error_set(err, GW_EINVAL, "unknown_member", "an actor has no %.80s; there are id, kind, role, claims", name);
    return GW_OK;
}

static int fill(struct gw_json *actor, const char *name, struct gw_json *usual /* taken */)
{
    if (!gw_json_get(actor, name))
        return gw_json_set(actor, name, usual);
    gw_json_unref(usual);
    return GW_OK;
}

/* What is left out is as usual; but not the role, on which everything depends. */
static int complete_actor(struct gw_json *actor, struct gw_error *err)
{
    enum gw_actor_kind kind;
    const struct gw_json *role = gw_json_get(actor, "role"), *id, *claims;
    int status = check_members(actor, err);
    if (status)
        return status;
    if (fill(actor, "id", gw_json_new_text("ann", 3)) || fill(actor, "kind", gw_json_new_text("user", 4)) ||
        fill(actor, "claims", gw_json_new_object()))
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the actor");
    id = gw_json_get(actor, "id");
    claims = gw_json_get(actor, "claims");
    const struct gw_json *given = gw_json_get(actor, "kind");
    if (!gw_json_is_string(role) || !gw_json_is_string(id) || !gw_json_is_object(claims))
        return gw_error_set(err, GW_EINVAL, "bad_shape", "an actor is an object {id, kind, role, claims}, of which role is needed");
    if (!gw_json_is_string(given) || gw_actor_kind_parse(gw_json_text(given, NULL), &kind))
        return gw_error_set(err, GW_EINVAL, "bad_kind", "a kind is user, agent or service");
    return GW_OK;
}

static int read_actor(const char *path, struct gw_json **out, struct gw_error *err)
{
    struct gw_buffer text;
    if (!path)
        return parse(usual_actor, sizeof usual_actor - 1, out, err);
    gw_buffer_init(&text, 0);
    int status = gw_file_read(path, ACTOR_BYTES, &text, err);
    if (!status)
        status = parse(text.data ? text.data : "", text.length, out, err);
    if (!status)
        status = complete_actor(*out, err);
    if (status && err->path[0] && strcmp(err->path, path) != 0)
        gw_error_prefix(err, ": ");
    if (status && strcmp(err->path, path) != 0)
        gw_error_prefix(err, path);
    gw_buffer_fini(&text);
    return status;
}

static int read_subject(const char *actor_path, const char *tenant, struct subject *out, struct gw_error *err)
{
    char scope[512];
    snprintf(scope, sizeof scope, usual_scope, tenant);
    int status = read_actor(actor_path, &out->actor, err);
    return status ? status : parse(scope, strlen(scope), &out->scope, err);
}

/* False when it failed. */
static bool answer(struct gw_script_eval *eval, const char *line, const struct subject *subject)
{
    struct gw_paint paint = gw_paint_for(stdout);
    struct gw_json *value;
    struct gw_error err;
    struct gw_buffer text;
    if (gw_script_eval_run(eval, line, subject->actor, subject->scope, &value, &err)) {
        printf("%s%s%s%s (%s)%s\n", paint.bad, gw_printable(err.path).text, err.path[0] ? ": " : "", gw_printable(err.message).text, err.id,
               paint.plain);
        if (strcmp(err.id, "script_syntax") == 0)
            printf("    %shint:%s an expression, such as lens.reads_token(plan, \"plan.title\"): no statements\n", paint.dim, paint.plain);
        return false;
    }
    gw_buffer_init(&text, 0);
    gw_json_write_canonical(value, &text);
    printf("%.*s\n", (int)text.length, text.data ? text.data : "");
    gw_buffer_fini(&text);
    gw_json_unref(value);
    return true;
}

/* The whole of a line that is too long. */
static void skip_line(void)
{
    int c;
    do
        c = getchar();
    while (c != EOF && c != '\n');
}

/* Is there a question in it? Files have blank lines and comments between theirs. */
static bool is_question(const char *line)
{
    line += strspn(line, " \t\r");
    return line[0] && strncmp(line, "--", 2) != 0;
}

static bool answer_line(struct gw_script_eval *eval, char *line, const struct subject *subject)
{
    size_t length = strcspn(line, "\n");
    if (line[length] == '\0' && length + 1 == LINE_BYTES) {
        skip_line();
        printf("a line has at most %d bytes (line_too_long)\n", LINE_BYTES - 2);
        return false;
    }
    line[length] = '\0';
    return !is_question(line) || answer(eval, line, subject);
}

static int converse(struct gw_script_eval *eval, const struct subject *subject)
{
    bool is_person = isatty(STDIN_FILENO), is_good = true;
    char line[LINE_BYTES];
    if (is_person)
        puts("Lua expressions over actor, scope, plan, lens and policy; an empty line or end of input ends.");
    for (;;) {
        if (is_person) {
            fputs("> ", stdout);
            fflush(stdout);
        }
        if (!fgets(line, sizeof line, stdin) || (is_person && line[strspn(line, " \t\n")] == '\0'))
            break;
        is_good &= answer_line(eval, line, subject);
    }
    return is_good || is_person ? 0 : 1;
}

static int run(const char *file, const char *folder, const char *tenant, const char *actor_path, struct gw_error *err)
{
    struct gw_script_tool tool;
    struct gw_script_eval *eval = NULL;
    struct subject subject = {0};
    int code = 0, status = gw_script_tool_open(file, folder, &tool, err);
    if (status)
        return status;
    status = read_subject(actor_path, tenant[0] ? tenant : "acme", &subject, err);
    if (!status)
        status = gw_script_eval_create(&tool.opts, tenant, &eval, err);
    if (!status)
        code = converse(eval, &subject);
    gw_script_eval_destroy(eval);
    gw_json_unref(subject.actor);
    gw_json_unref(subject.scope);
    gw_script_tool_close(&tool);
    return status ? status : code;
}

int gw_repl_main(int argc, char **argv)
{
    const char *file = NULL, *folder = NULL, *tenant = "", *actor = NULL;
    const struct gw_client_option options[] = {
        {"--as", GW_OPTION_TEXT, &actor, "FILE   who asks: JSON {id, kind, role, claims}; without it an editor"},
        {"--tenant", GW_OPTION_TEXT, &tenant, "T      of this tenant, by its own policies if it has any"},
        {"--policies", GW_OPTION_TEXT, &folder, "DIR    a folder of policies; without it the one that `atoms serve` would use"},
        {"--config", GW_OPTION_TEXT, &file, "FILE   the configuration that says where the others are"},
        {0}};
    const struct gw_usage usage = {
        .name = "repl",
        .synopsis = "[--as FILE] [--tenant T] [--policies DIR]",
        .about = "Reads Lua expressions, a line each, and prints their values as JSON, in the sandbox that serves. There, `actor` and\n"
                 "`scope` are who asks, `plan` is what the token lens answers, `lens` is atoms.lens, `policy` the token lens's file.\n"
                 "Blank lines and comments are passed over. Exits with 1 when an expression failed.\n",
        .options = options,
        .example = "  echo 'lens.reads_token(plan, \"internal.cost\")' | atoms repl\n"};
    enum gw_usage_answer read = gw_usage_read(&usage, argc, argv);
    struct gw_error err;
    if (read != GW_USAGE_GO)
        return read == GW_USAGE_HELP ? 0 : 2;
    if (tenant[0] && !gw_id_is_valid(tenant, strlen(tenant)))
        return gw_usage_refuse(&usage, "--tenant: not an id");
    int code = run(file, folder, tenant, actor, &err);
    if (code < 0)
        fprintf(stderr, "atoms: %s%s%s (%s)\n", gw_printable(err.path).text, err.path[0] ? ": " : "", gw_printable(err.message).text,
                err.id);
    return code < 0 ? 1 : code;
}
