#include "app/cmd_token.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "app/config.h"
#include "app/config_list.h"
#include "app/usage.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "identity/identity.h"
#include "protocol/jwt.h"

#define DEFAULT_TTL_S 3600
#define MAX_TTL_S     (30UL * 24 * 3600)

static struct gw_json *new_text(const char *text)
{
    return gw_utf8_count(text, strlen(text), &(size_t){0}) < 0 ? NULL : gw_json_new_text(text, strlen(text));
}

static int add_list(struct gw_json *meta, const char *name, const char *const *items, size_t count)
{
    if (count == 0)
        return 0;
    struct gw_json *array = gw_json_new_array();
    int rc = array == NULL ? GW_ENOMEM : 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = gw_json_append(array, new_text(items[i]));
    if (rc != 0) {
        gw_json_unref(array);
        return rc;
    }
    return gw_json_set(meta, name, array);
}

static int add_globs(struct gw_json *meta, const char *tokens)
{
    struct gw_text_list globs = {NULL, 0};
    if (tokens == NULL)
        return 0;
    gw_text_list_add_split(&globs, tokens, strlen(tokens));
    int rc = add_list(meta, "tokens", (const char *const *)globs.items, globs.count);
    gw_text_list_fini(&globs);
    return rc;
}

static int fill_meta(struct gw_json *meta, const struct gw_token_claims *claims)
{
    int rc = gw_json_set(meta, "tenant_id", new_text(claims->tenant));
    rc = rc != 0 ? rc : gw_json_set(meta, "role", new_text(claims->role));
    rc = rc != 0 ? rc : gw_json_set(meta, "kind", new_text(claims->kind));
    rc = rc != 0 ? rc : add_list(meta, "modes", claims->modes.items, claims->modes.count);
    rc = rc != 0 ? rc : add_list(meta, "projects", claims->projects.items, claims->projects.count);
    rc = rc != 0 ? rc : add_list(meta, "surfaces", claims->surfaces.items, claims->surfaces.count);
    rc = rc != 0 ? rc : add_list(meta, "apps", claims->apps.items, claims->apps.count);
    return rc != 0 ? rc : add_globs(meta, claims->tokens);
}

static int fill_payload(struct gw_json *payload, const struct gw_config *config, const struct gw_token_claims *claims, int64_t now_s)
{
    struct gw_json *meta = gw_json_new_object();
    int rc = gw_json_set(payload, "sub", new_text(claims->actor));
    rc = rc != 0 ? rc : gw_json_set(payload, "iat", gw_json_new_int(now_s));
    rc = rc != 0 ? rc : gw_json_set(payload, "exp", gw_json_new_int(now_s + (int64_t)claims->ttl_s));
    if (rc == 0 && config->jwt.issuer[0] != '\0')
        rc = gw_json_set(payload, "iss", new_text(config->jwt.issuer));
    if (rc == 0 && config->jwt.audience[0] != '\0')
        rc = gw_json_set(payload, "aud", new_text(config->jwt.audience));
    rc = rc != 0 ? rc : meta == NULL ? GW_ENOMEM : fill_meta(meta, claims);
    if (rc != 0) {
        gw_json_unref(meta);
        return rc;
    }
    return gw_json_set(payload, "app_metadata", meta);
}

/* Judges the claims as the gateway would judge the bearer, so that no useless one is printed. */
static int check_payload(const struct gw_json *payload, struct gw_error *err)
{
    struct gw_identity *identity;
    int rc = gw_identity_from_claims(payload, &identity, err);
    if (rc == 0)
        gw_identity_unref(identity);
    return rc == GW_EAUTH ? GW_EINVAL : rc;
}

int gw_token_mint(const struct gw_config *config, const struct gw_token_claims *claims, int64_t now_s, struct gw_buffer *out,
                  struct gw_error *err)
{
    struct gw_jwt_key *key = NULL;
    struct gw_json *payload = gw_json_new_object();
    int rc = 0;
    if (config->jwt.secret[0] == '\0')
        rc = gw_error_set(err, GW_EINVAL, "no_secret",
                          "bearers of this gateway come from the holder of its key set; there is no shared secret to sign with");
    if (rc == 0)
        rc = gw_jwt_key_from_secret(config->jwt.secret, strlen(config->jwt.secret), &key, err);
    if (rc == 0 && (payload == NULL || fill_payload(payload, config, claims, now_s) != 0))
        rc = gw_error_set(err, GW_EINVAL, "bad_claim", "a value is not valid UTF-8, or memory is gone");
    if (rc == 0)
        rc = check_payload(payload, err);
    if (rc == 0)
        rc = gw_jwt_sign(key, payload, out, err);
    gw_json_unref(payload);
    gw_jwt_key_destroy(key);
    return rc;
}

static int mint_and_print(const char *file, const struct gw_token_claims *claims)
{
    char root[PATH_MAX];
    struct gw_config_world world = gw_config_world_system(root, sizeof root);
    const struct gw_clock *clock = gw_clock_system();
    struct gw_config config;
    struct gw_error err;
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    int rc = gw_config_load(file, &world, &config, &err);
    if (rc == 0) {
        rc = gw_config_ensure_secrets(&config, clock, &err);
        if (rc == 0)
            rc = gw_token_mint(&config, claims, clock->wall_ms(clock->self) / 1000, &out, &err);
        gw_config_fini(&config);
    }
    if (rc == 0)
        printf("%.*s\n", (int)out.length, out.data);
    else
        fprintf(stderr, "atoms token: %s%s%s\n", err.path, err.path[0] ? ": " : "", err.message);
    gw_buffer_fini(&out);
    return rc == 0 ? 0 : 1;
}

static const char about[] =
    "Prints a bearer for development: a JWT signed (HS256) with ATOMS_JWT_SECRET, or with the secret that `atoms serve`\n"
    "keeps in ATOMS_DATA_DIR. What is not narrowed covers all, but for modes: without --mode it covers dev alone.\n";

int gw_token_main(int argc, char **argv)
{
    struct gw_token_claims claims = {.kind = "user", .ttl_s = DEFAULT_TTL_S};
    const char *file = NULL;
    const struct gw_client_option options[] = {
        {"--tenant", GW_OPTION_TEXT, &claims.tenant, "T     the tenant that the bearer belongs to (required)"},
        {"--actor", GW_OPTION_TEXT, &claims.actor, "A     who bears it (required)"},
        {"--role", GW_OPTION_TEXT, &claims.role,
         "R     what the policies know: owner, editor, viewer, planner, director, service, or one of their own (required)"},
        {"--kind", GW_OPTION_TEXT, &claims.kind, "K     user, agent or service (default user)"},
        {"--mode", GW_OPTION_LIST, &claims.modes, "M     a mode that it covers; repeatable"},
        {"--project", GW_OPTION_LIST, &claims.projects, "P     a project that it covers; repeatable"},
        {"--surface", GW_OPTION_LIST, &claims.surfaces, "S     a surface that it covers; repeatable"},
        {"--app", GW_OPTION_LIST, &claims.apps, "A     an app that it covers; repeatable"},
        {"--tokens", GW_OPTION_TEXT, &claims.tokens, "G     Token keys that it sees: globs with commas, like plan.*,ui.zoom"},
        {"--ttl", GW_OPTION_COUNT, &claims.ttl_s, "S     seconds until it expires (default 3600)"},
        {"--config", GW_OPTION_TEXT, &file, "FILE  the configuration of the gateway that shall accept it"},
        {.name = NULL},
    };
    const struct gw_usage usage = {"token", "--tenant T --actor A --role R [--kind K] [--mode M]… [--project P]… [--tokens G] [--ttl S]",
                                   about, options,
                                   "  TOKEN=$(atoms token --tenant acme --actor ann --role editor)\n"
                                   "  SCOPE='tenant_id=acme&mode=dev&project_id=p1&surface_id=web&app_id=demo&run_id=r1'\n"
                                   "  curl -N -H \"Authorization: Bearer $TOKEN\" \"http://127.0.0.1:8080/v1/stream?$SCOPE\"\n"};
    enum gw_usage_answer answer = gw_usage_read(&usage, argc, argv);
    if (answer != GW_USAGE_GO)
        return answer == GW_USAGE_HELP ? 0 : 2;
    if (claims.tenant == NULL || claims.actor == NULL || claims.role == NULL)
        return gw_usage_refuse(&usage, "--%s is missing", claims.tenant == NULL ? "tenant" : claims.actor == NULL ? "actor" : "role");
    if (claims.ttl_s < 1 || claims.ttl_s > MAX_TTL_S)
        return gw_usage_refuse(&usage, "--ttl lies within 1 and %lu seconds", MAX_TTL_S);
    return mint_and_print(file, &claims);
}
