/* The registry that is one document: who finds which flow, and what is refused when it is built. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/ports.h"
#include "registry/files/files_registry.h"

static struct gw_json *parse(const char *text)
{
    static const struct gw_json_limits limits = {.max_bytes = 1u << 20, .max_depth = 32, .max_nodes = 16384};
    struct gw_json *out;
    struct gw_error err;
    if (gw_json_parse(text, strlen(text), &limits, &out, &err))
        fail_msg("%s in %s", err.message, text);
    return out;
}

static bool knows_planning(void *self, const char *canvas_type)
{
    (void)self;
    return strcmp(canvas_type, "planning") == 0;
}

static int create(const char *text, struct gw_files_registry **out, struct gw_error *err)
{
    struct gw_json *document = parse(text);
    struct gw_files_registry_opts opts = {.document = document, .knows_canvas = knows_planning};
    int status = gw_files_registry_create(&opts, out, err);
    gw_json_unref(document);
    return status;
}

/* ---- asking ----------------------------------------------------------------------------------------------------------------------------- */

/* An executor that keeps what is posted until it is run by hand. */
static struct gw_task *posted;

static void post(void *self, struct gw_task *task)
{
    (void)self;
    assert_null(posted);
    posted = task;
}

static void on_done(struct gw_flow_get *request) { *(bool *)request->arg = true; }

/* The title of the flow that is found, or "" for none; freed by nobody: it is copied. */
static const char *ask(const struct gw_files_registry *registry, const char *tenant, const char *project, const char *flow)
{
    static char title[64];
    bool is_done = false;
    struct gw_executor home = {.post = post};
    struct gw_flow_get request = {.home = &home, .done = on_done, .arg = &is_done};
    memcpy(request.tenant_id, tenant, strlen(tenant) + 1);
    memcpy(request.project_id, project, strlen(project) + 1);
    memcpy(request.flow_id, flow, strlen(flow) + 1);
    const struct gw_registry *port = gw_files_registry_port(registry);
    port->flow(port->self, &request);
    assert_false(is_done);
    struct gw_task *task = posted;
    posted = NULL;
    task->run(task);
    assert_true(is_done);
    title[0] = '\0';
    if (request.status)
        assert_int_equal(request.status, GW_ENOTFOUND);
    else
        snprintf(title, sizeof title, "%s", gw_json_text(gw_json_get(request.flow, "title"), NULL));
    gw_flow_get_fini(&request);
    return title;
}

#define FLOW(id, title) "{\"flow_id\":\"" id "\",\"title\":\"" title "\"}"

static void a_flow_is_found_where_it_is_nearest(void **state)
{
    (void)state;
    struct gw_files_registry *registry;
    struct gw_error err;
    assert_int_equal(
        create("{\"tenants\":{\"*\":{\"flows\":[" FLOW("demo", "anybody's") "]},\"acme\":{\"projects\":{\"p1\":{\"flows\":[" FLOW(
                   "demo", "p1's") "]},\"p2\":{}},\"flows\":[" FLOW("demo", "acme's") "," FLOW("more", "acme's more") "]}}}",
               &registry, &err),
        GW_OK);
    assert_string_equal(ask(registry, "acme", "p1", "demo"), "p1's");
    assert_string_equal(ask(registry, "acme", "p1", "more"), "acme's more");
    assert_string_equal(ask(registry, "acme", "p2", "demo"), "acme's");
    assert_string_equal(ask(registry, "acme", "p3", "demo"), "");
    assert_string_equal(ask(registry, "acme", "p1", "none"), "");
    assert_string_equal(ask(registry, "other", "p1", "demo"), "anybody's");
    assert_string_equal(ask(registry, "other", "p1", "more"), "");
    gw_files_registry_destroy(registry);
}

static void without_tenants_there_are_no_flows(void **state)
{
    (void)state;
    struct gw_files_registry *registry;
    struct gw_error err;
    assert_int_equal(create("{\"tenants\":{}}", &registry, &err), GW_OK);
    assert_string_equal(ask(registry, "acme", "p1", "demo"), "");
    gw_files_registry_destroy(registry);
}

static void an_answer_is_the_askers_own(void **state)
{
    (void)state;
    struct gw_files_registry *registry;
    struct gw_error err;
    assert_int_equal(create("{\"tenants\":{\"*\":{\"flows\":[" FLOW("demo", "t") "]}}}", &registry, &err), GW_OK);
    bool is_done = false;
    struct gw_executor home = {.post = post};
    struct gw_flow_get request = {.tenant_id = "a", .project_id = "p", .flow_id = "demo", .home = &home, .done = on_done, .arg = &is_done};
    const struct gw_registry *port = gw_files_registry_port(registry);
    port->flow(port->self, &request);
    posted->run(posted);
    posted = NULL;
    gw_files_registry_destroy(registry);
    assert_string_equal(gw_json_text(gw_json_get(request.flow, "title"), NULL), "t");
    gw_flow_get_fini(&request);
}

static int replace(struct gw_files_registry *registry, const char *text, struct gw_error *err)
{
    struct gw_json *document = parse(text);
    struct gw_files_registry_opts opts = {.document = document, .knows_canvas = knows_planning};
    int status = gw_files_registry_replace(registry, &opts, err);
    gw_json_unref(document);
    return status;
}

static void another_document_takes_the_place_of_the_old_unless_it_is_faulty(void **state)
{
    (void)state;
    struct gw_files_registry *registry;
    struct gw_error err;
    assert_int_equal(create("{\"tenants\":{\"*\":{\"flows\":[" FLOW("demo", "old") "]}}}", &registry, &err), GW_OK);
    assert_int_equal(replace(registry, "{\"tenants\":{\"a\":{\"flow\":[]}}}", &err), GW_EINVAL);
    assert_string_equal(err.path, "/tenants/a/flow");
    assert_string_equal(ask(registry, "acme", "p1", "demo"), "old");
    assert_int_equal(replace(registry, "{\"tenants\":{\"*\":{\"flows\":[" FLOW("demo", "new") "]}}}", &err), GW_OK);
    assert_string_equal(ask(registry, "acme", "p1", "demo"), "new");
    gw_files_registry_destroy(registry);
}

/* ---- building --------------------------------------------------------------------------------------------------------------------------- */

static void what_is_wrong_is_said_with_its_path(void **state)
{
    (void)state;
    static const struct {
        const char *document, *id, *path;
    } bad[] = {
        {"[]", "bad_shape", ""},
        {"{}", "missing_member", "/tenants"},
        {"{\"tenants\":{},\"flows\":[]}", "unknown_member", "/flows"},
        {"{\"tenants\":[]}", "bad_shape", "/tenants"},
        {"{\"tenants\":{\"a b\":{}}}", "bad_id", "/tenants/a b"},
        {"{\"tenants\":{\"a\":{\"flow\":[]}}}", "unknown_member", "/tenants/a/flow"},
        {"{\"tenants\":{\"a\":{\"title\":1}}}", "bad_shape", "/tenants/a/title"},
        {"{\"tenants\":{\"a\":{\"apps\":{\"*\":{}}}}}", "bad_id", "/tenants/a/apps/*"},
        {"{\"tenants\":{\"a\":{\"surfaces\":{\"web\":{\"titel\":\"x\"}}}}}", "unknown_member", "/tenants/a/surfaces/web/titel"},
        {"{\"tenants\":{\"a\":{\"projects\":{\"p\":{\"flows\":{}}}}}}", "bad_shape", "/tenants/a/projects/p/flows"},
        {"{\"tenants\":{\"a\":{\"flows\":[{\"flow_id\":\"f\"},{\"flow_id\":\"f\"}]}}}", "named_twice", "/tenants/a/flows/1/flow_id"},
        {"{\"tenants\":{\"a\":{\"flows\":[{\"flow_id\":\"f\",\"nodes\":[{}]}]}}}", "missing_member", "/tenants/a/flows/0/nodes/0/id"},
        {"{\"tenants\":{\"a\":{\"flows\":[{\"flow_id\":\"f\",\"canvases\":[{\"canvas_id\":\"c\",\"canvas_type\":\"x\"}]}]}}}",
         "unknown_canvas", "/tenants/a/flows/0/canvases/0/canvas_type"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct gw_files_registry *registry;
        struct gw_error err;
        assert_int_equal(create(bad[i].document, &registry, &err), GW_EINVAL);
        assert_string_equal(err.id, bad[i].id);
        assert_string_equal(err.path, bad[i].path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_is_found_where_it_is_nearest),
        cmocka_unit_test(without_tenants_there_are_no_flows),
        cmocka_unit_test(an_answer_is_the_askers_own),
        cmocka_unit_test(another_document_takes_the_place_of_the_old_unless_it_is_faulty),
        cmocka_unit_test(what_is_wrong_is_said_with_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
