#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/config.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"

#define SECRET   "0123456789abcdef0123456789abcdef"
#define SEAL_KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* A folder with canvases/, policies/ and lua/ in it, and an environment as NAME=value lines. */
struct fixture {
    char root[64];
    char file[96];
    const char *const *env;
};

static const char *find_variable(void *self, const char *name)
{
    const struct fixture *f = self;
    size_t length = strlen(name);
    for (const char *const *line = f->env; line != NULL && *line != NULL; line++)
        if (strncmp(*line, name, length) == 0 && (*line)[length] == '=')
            return *line + length + 1;
    return NULL;
}

static int setup(void **state)
{
    static struct fixture f;
    char path[96];
    f = (struct fixture){.root = "/tmp/atoms-config-XXXXXX"};
    if (mkdtemp(f.root) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/canvases", f.root);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/policies", f.root);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/lua", f.root);
    mkdir(path, 0700);
    snprintf(f.file, sizeof f.file, "%s/atoms.lua", f.root);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", f->root);
    return system(command);
}

static struct gw_config_world world_of(struct fixture *f)
{
    return (struct gw_config_world){.self = f, .env = find_variable, .shipped_root = f->root, .cpu_count = 3};
}

static int load_with(struct fixture *f, const char *const *env, const char *text, struct gw_config *config, struct gw_error *err)
{
    f->env = env;
    if (text != NULL) {
        FILE *out = fopen(f->file, "w");
        assert_non_null(out);
        fputs(text, out);
        fclose(out);
    }
    struct gw_config_world world = world_of(f);
    *err = (struct gw_error){0};
    return gw_config_load(text ? f->file : NULL, &world, config, err);
}

static void assert_loads(struct fixture *f, const char *const *env, const char *text, struct gw_config *config)
{
    struct gw_error err;
    if (load_with(f, env, text, config, &err) != 0)
        fail_msg("%s: %s", err.path, err.message);
}

static void assert_address(const struct gw_address *address, const char *text)
{
    char shown[GW_ADDRESS_TEXT_MAX];
    gw_address_format(address, shown);
    assert_string_equal(shown, text);
}

static void the_shipped_configuration_needs_no_file(void **state)
{
    struct gw_config config;
    struct gw_error err;
    char path[96];
    assert_loads(*state, NULL, NULL, &config);
    assert_address(&config.listen, "127.0.0.1:8080");
    assert_address(&config.admin_listen, "127.0.0.1:8081");
    assert_int_equal(config.modes.count, 1);
    assert_string_equal(config.modes.items[0], "dev");
    assert_int_equal(config.workers, 3);
    assert_string_equal(config.spine, "sqlite");
    assert_int_equal(config.limits.heartbeat_ms, 15000);
    assert_int_equal(config.seal_keys.count, 0);
    snprintf(path, sizeof path, "%s/canvases", ((struct fixture *)*state)->root);
    assert_string_equal(config.canvases_dir, path);
    assert_int_equal(gw_config_check(&config, &err), 0);
    gw_config_fini(&config);
}

static void the_environment_is_read_as_documented(void **state)
{
    static const char *const env[] = {"ATOMS_LISTEN=[::1]:0",   "ATOMS_ADMIN_LISTEN=127.0.0.2:9",
                                      "ATOMS_MODES=dev, live",  "ATOMS_DATA_DIR=/d",
                                      "ATOMS_JWT_SECRET=shhh",  "ATOMS_JWKS_URL=https://k/j",
                                      "ATOMS_SEAL_KEYS=a,b",    "ATOMS_POLICIES_DIR=/p",
                                      "ATOMS_CANVASES_DIR=/c",  "ATOMS_WORKERS=7",
                                      "ATOMS_SPINE=memory",     "ATOMS_LOG_LEVEL=debug",
                                      "ATOMS_ADMIN_TOKEN=adm1", NULL};
    struct gw_config config;
    assert_loads(*state, env, NULL, &config);
    assert_address(&config.listen, "[::1]:0");
    assert_address(&config.admin_listen, "127.0.0.2:9");
    assert_int_equal(config.modes.count, 2);
    assert_string_equal(config.modes.items[1], "live");
    assert_string_equal(config.data_dir, "/d");
    assert_string_equal(config.jwt.secret, "shhh");
    assert_string_equal(config.jwt.jwks_url, "https://k/j");
    assert_int_equal(config.seal_keys.count, 2);
    assert_string_equal(config.seal_keys.items[1], "b");
    assert_string_equal(config.policies_dir, "/p");
    assert_string_equal(config.canvases_dir, "/c");
    assert_int_equal(config.workers, 7);
    assert_string_equal(config.spine, "memory");
    assert_string_equal(config.log_level, "debug");
    assert_string_equal(config.admin.token, "adm1");
    gw_config_fini(&config);
}

static void a_file_goes_before_the_environment(void **state)
{
    static const char *const env[] = {"ATOMS_WORKERS=7", "ATOMS_SPINE=memory", "MY_SECRET=s3", NULL};
    struct gw_config config;
    assert_loads(*state, env,
                 "return {\n"
                 "  workers = 2, modes = { 'dev', 'x' },\n"
                 "  jwt = { secret = env('MY_SECRET'), leeway_s = 0 },\n"
                 "  cors = { origins = {} },\n"
                 "  limits = { heartbeat_ms = 1000 },\n"
                 "}",
                 &config);
    assert_int_equal(config.workers, 2);
    assert_string_equal(config.spine, "memory");
    assert_string_equal(config.jwt.secret, "s3");
    assert_int_equal(config.limits.heartbeat_ms, 1000);
    assert_int_equal(config.limits.max_batch_commands, 64);
    gw_config_fini(&config);
}

static void assert_refused(struct fixture *f, const char *text, const char *id, unsigned line, const char *message)
{
    struct gw_config config;
    struct gw_error err;
    char where[128];
    assert_int_not_equal(load_with(f, NULL, text, &config, &err), 0);
    assert_string_equal(err.message, message);
    assert_string_equal(err.id, id);
    snprintf(where, sizeof where, "%s:%u", f->file, line);
    assert_string_equal(err.path, where);
}

static void unknown_settings_are_refused_with_a_hint(void **state)
{
    assert_refused(*state, "return {\n\n  wrokers = 2 }", "config_unknown", 3, "unknown setting \"wrokers\"; did you mean workers?");
    assert_refused(*state, "return { jwt = {\n secrt = 'x' } }", "config_unknown", 2,
                   "unknown setting \"jwt.secrt\"; did you mean jwt.secret?");
    assert_refused(*state, "return {\n heartbeat_ms = 1 }", "config_unknown", 2,
                   "unknown setting \"heartbeat_ms\"; did you mean limits.heartbeat_ms?");
    assert_refused(*state, "return { limit = {} }", "config_unknown", 1, "unknown section \"limit\"; did you mean limits?");
    assert_refused(*state, "return { zebra = 1 }", "config_unknown", 1,
                   "unknown setting \"zebra\"; `atoms check-config --shipped` lists all");
    assert_refused(*state, "return { ['jwt.secret'] = 'x' }", "config_unknown", 1,
                   "unknown setting \"jwt.secret\"; did you mean jwt.secret?");
    assert_refused(*state, "return { tenants = { acme = {} } }", "config_unknown", 1,
                   "\"tenants\" is no setting of the process: what belongs to a tenant lives in the registry");
}

static void wrong_types_are_refused(void **state)
{
    assert_refused(
        *state, "return { workers = '2' }", "config_type", 1,
        "workers must be a whole number, not text; write it without quotes, or env(\"NAME\", 1) to read a number from the environment");
    assert_refused(*state, "return { workers = 2.5 }", "config_type", 1, "workers must be a whole number, not a fraction");
    assert_refused(*state, "return { spine = 1 }", "config_type", 1, "spine must be text, not a whole number");
    assert_refused(*state, "return { jwt = 'x' }", "config_type", 1, "jwt must be a table of settings, not text");
    assert_refused(*state, "return {\n modes = {\n 'dev', true } }", "config_type", 2, "modes must be a list of texts, not a boolean");
    assert_refused(*state, "return { modes = true }", "config_type", 1,
                   "modes must be a list of texts, or one text with commas, not a boolean");
    assert_refused(*state, "return { 1, 2 }", "config_type", 1, "the configuration must be a table of named settings");
}

static void impossible_values_are_refused(void **state)
{
    struct gw_config config;
    struct gw_error err;
    assert_refused(*state, "return { workers = 0 }", "config_value", 1, "workers cannot be 0; it lies within 1 and 256");
    assert_refused(*state, "return { limits = {\n  max_connections = -1 } }", "config_value", 2,
                   "limits.max_connections cannot be -1; it lies within 1 and 10000000");
    assert_refused(*state, "return { spine = 'mysql' }", "config_value", 1, "spine cannot be \"mysql\"; it is one of sqlite|memory");
    assert_refused(*state, "return { data_dir = 'a\\nb' }", "config_value", 1, "data_dir holds a control character");
    assert_int_not_equal(load_with(*state, NULL, "return { listen = '127.0.0.1:70000' }", &config, &err), 0);
    assert_non_null(strstr(err.message, "70000"));
    assert_int_not_equal(load_with(*state, NULL, "return { listen = 'example' }", &config, &err), 0);
    assert_string_equal(err.id, "config_value");
}

static void a_bad_variable_is_named(void **state)
{
    static const char *const zero[] = {"ATOMS_WORKERS=0", NULL};
    static const char *const text[] = {"ATOMS_WORKERS=many", NULL};
    static const char *const port[] = {"ATOMS_LISTEN=127.0.0.1:70000", NULL};
    const char *const *const cases[] = {zero, text, port};
    static const char *const names[] = {"environment variable ATOMS_WORKERS", "environment variable ATOMS_WORKERS",
                                        "environment variable ATOMS_LISTEN"};
    for (size_t i = 0; i < 3; i++) {
        struct gw_config config;
        struct gw_error err;
        assert_int_not_equal(load_with(*state, cases[i], NULL, &config, &err), 0);
        assert_string_equal(err.path, names[i]);
    }
}

static void assert_rule(struct fixture *f, const char *text, const char *id, const char *setting)
{
    struct gw_config config;
    struct gw_error err;
    assert_loads(f, NULL, text, &config);
    int rc = gw_config_check(&config, &err);
    gw_config_fini(&config);
    if (id == NULL) {
        assert_int_equal(rc, 0);
        return;
    }
    assert_int_equal(rc, GW_EINVAL);
    assert_string_equal(err.id, id);
    /* the setting begins the message when the file sets it, and is the path when it does not */
    const char *named = strchr(err.path, '/') != NULL ? err.message : err.path;
    assert_memory_equal(named, setting, strlen(setting));
}

static void a_listen_beyond_this_machine_needs_own_keys(void **state)
{
    assert_rule(*state, "return { listen = '0.0.0.0:8080' }", "config_rule", "listen");
    assert_rule(*state, "return { listen = '[::]:8080' }", "config_rule", "listen");
    assert_rule(*state, "return { listen = '10.0.0.1:8080' }", "config_rule", "listen");
    assert_rule(*state, "return { listen = '0.0.0.0:8080', jwt = { secret = '" SECRET "' } }", NULL, NULL);
    assert_rule(*state, "return { listen = '0.0.0.0:8080', jwt = { jwks_url = 'https://k' } }", NULL, NULL);
    assert_rule(*state, "return { listen = '127.9.9.9:8080' }", NULL, NULL);
    assert_rule(*state, "return { listen = '[::1]:8080' }", NULL, NULL);
    assert_rule(*state, "return { admin_listen = '0.0.0.0:8081' }", "config_rule", "admin_listen");
    assert_rule(*state, "return { admin_listen = '0.0.0.0:8081', admin = { token = 't' } }", NULL, NULL);
}

static void a_real_mode_is_refused_with_embedded_drivers(void **state)
{
    assert_rule(*state, "return { modes = { 'dev', 'live' } }", "no_real_driver", "modes");
    assert_rule(*state, "return { modes = { 'live' }, spine = 'memory', seal_keys = { 'k' }, jwt = { jwks_url = 'https://k' } }",
                "no_real_driver", "modes");
}

static void a_broken_rule_is_placed_in_the_file(void **state)
{
    struct fixture *f = *state;
    struct gw_config config;
    struct gw_error err;
    char where[128];
    snprintf(where, sizeof where, "%s:3", f->file);
    assert_loads(f, NULL, "return {\n  cors = {\n    origins = { 'app.example' },\n  },\n}", &config);
    assert_int_equal(gw_config_check(&config, &err), GW_EINVAL);
    assert_string_equal(err.path, where);
    assert_string_equal(err.message, "cors.origins: \"app.example\" is no origin; write https://app.example, without a path");
    gw_config_fini(&config);
}

static void settings_that_contradict_each_other_are_refused(void **state)
{
    assert_rule(*state, "return { jwt = { secret = 'short' } }", "config_rule", "jwt.secret");
    assert_rule(*state, "return { seal_keys = { 'k' } }", "bad_seal_keys", "seal_keys");
    assert_rule(*state, "return { seal_keys = '" SEAL_KEY ", " SEAL_KEY "' }", NULL, NULL);
    assert_rule(*state, "return { modes = {} }", "config_rule", "modes");
    assert_rule(*state, "return { modes = { 'dev', 'dev' } }", "config_rule", "modes");
    assert_rule(*state, "return { modes = { 'a/b' } }", "config_rule", "modes");
    assert_rule(*state, "return { tls = { cert = '/c' } }", "config_rule", "tls");
    assert_rule(*state, "return { admin_listen = '127.0.0.1:8080' }", "config_rule", "admin_listen");
    assert_rule(*state, "return { limits = { max_batch_bytes = 2048, max_body_bytes = 4096 } }", "config_rule", "limits.max_batch_bytes");
    assert_rule(*state, "return { jwt = { jwks_url = 'file:///etc/passwd' } }", "config_rule", "jwt.jwks_url");
    assert_rule(*state, "return { cors = { origins = { 'https://a.example/path' } } }", "config_rule", "cors.origins");
    assert_rule(*state, "return { cors = { origins = { '*', 'https://a.example' } } }", "config_rule", "cors.origins");
    assert_rule(*state, "return { cors = { origins = 'https://a.example,http://localhost:5173' } }", NULL, NULL);
    assert_rule(*state, "return { canvases_dir = '/nonexistent' }", "config_rule", "canvases_dir");
    assert_rule(*state, "return { policies_dir = '/nonexistent' }", "config_rule", "policies_dir");
    assert_rule(*state, "return { lua_dir = '/nonexistent' }", "config_rule", "lua_dir");
}

static void missing_secrets_are_made_once_and_private(void **state)
{
    struct fixture *f = *state;
    struct gw_config first, second;
    struct gw_error err;
    char line[96], path[128];
    snprintf(line, sizeof line, "return { data_dir = '%s/a/b' }", f->root);
    assert_loads(f, NULL, line, &first);
    assert_int_equal(gw_config_ensure_secrets(&first, gw_clock_system(), &err), 0);
    assert_int_equal(strlen(first.jwt.secret), 43);
    assert_true(first.jwt.is_secret_generated);
    assert_int_equal(first.seal_keys.count, 1);
    assert_loads(f, NULL, line, &second);
    assert_int_equal(gw_config_ensure_secrets(&second, gw_clock_system(), &err), 0);
    assert_string_equal(first.jwt.secret, second.jwt.secret);
    assert_string_equal(first.seal_keys.items[0], second.seal_keys.items[0]);
    struct stat st;
    snprintf(path, sizeof path, "%s/a/b/jwt-secret", f->root);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    gw_config_fini(&first);
    gw_config_fini(&second);

    chmod(path, 0644);
    assert_loads(f, NULL, line, &first);
    assert_int_equal(gw_config_ensure_secrets(&first, gw_clock_system(), &err), GW_EDENIED);
    assert_string_equal(err.path, path);
    gw_config_fini(&first);
}

static void given_keys_make_no_secret(void **state)
{
    struct fixture *f = *state;
    static const char *const env[] = {"ATOMS_JWKS_URL=https://k", "ATOMS_SEAL_KEYS=x", "ATOMS_DATA_DIR=/nonexistent/x", NULL};
    struct gw_config config;
    struct gw_error err;
    assert_loads(f, env, NULL, &config);
    assert_int_equal(gw_config_ensure_secrets(&config, gw_clock_system(), &err), 0);
    assert_string_equal(config.jwt.secret, "");
    assert_false(config.jwt.is_secret_generated);
    gw_config_fini(&config);
}

static void the_effective_configuration_hides_secrets(void **state)
{
    static const char *const env[] = {"ATOMS_JWT_SECRET=topsecret1", "ATOMS_SEAL_KEYS=topsecret2", "ATOMS_ADMIN_TOKEN=topsecret3", NULL};
    struct gw_config config;
    struct gw_buffer out;
    assert_loads(*state, env, NULL, &config);
    gw_buffer_init(&out, 0);
    gw_config_write_effective(&config, &out);
    gw_buffer_append_char(&out, '\0');
    assert_null(strstr(out.data, "topsecret"));
    assert_non_null(strstr(out.data, "jwt.secret = (set)\n"));
    assert_non_null(strstr(out.data, "seal_keys = (1 set)\n"));
    assert_non_null(strstr(out.data, "listen = \"127.0.0.1:8080\"\n"));
    assert_non_null(strstr(out.data, "modes = {\"dev\"}\n"));
    gw_buffer_fini(&out);
    gw_config_fini(&config);
}

static void the_shipped_text_is_a_valid_file(void **state)
{
    struct gw_config config;
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_config_write_shipped(5, &out);
    gw_buffer_append_char(&out, '\0');
    assert_loads(*state, NULL, out.data, &config);
    assert_int_equal(config.workers, 5);
    gw_buffer_fini(&out);
    gw_config_fini(&config);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_shipped_configuration_needs_no_file),
        T(the_environment_is_read_as_documented),
        T(a_file_goes_before_the_environment),
        T(unknown_settings_are_refused_with_a_hint),
        T(wrong_types_are_refused),
        T(impossible_values_are_refused),
        T(a_bad_variable_is_named),
        T(a_listen_beyond_this_machine_needs_own_keys),
        T(a_real_mode_is_refused_with_embedded_drivers),
        T(a_broken_rule_is_placed_in_the_file),
        T(settings_that_contradict_each_other_are_refused),
        T(missing_secrets_are_made_once_and_private),
        T(given_keys_make_no_secret),
        T(the_effective_configuration_hides_secrets),
        T(the_shipped_text_is_a_valid_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
