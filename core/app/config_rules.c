#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "protocol/cursor.h"
#include "protocol/jwt_key.h"
#include "script/data_file.h"

/* One port of the domain and the driver chosen for it. */
struct driver {
    const char *port;
    const char *name;
    bool is_embedded; /* its data lives in this process or on its file system */
};

#define RULE(err, setting, ...) (gw_error_set(err, GW_EINVAL, "config_rule", __VA_ARGS__), gw_error_prefix(err, setting), GW_EINVAL)

bool gw_config_is_loopback(const struct gw_address *address)
{
    if (address->addr.any.sa_family == AF_INET)
        return (ntohl(address->addr.v4.sin_addr.s_addr) >> 24) == 127;
    if (address->addr.any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&address->addr.v6.sin6_addr);
    return false;
}

bool gw_config_has_real_mode(const struct gw_config *config)
{
    for (size_t i = 0; i < config->modes.count; i++)
        if (strcmp(config->modes.items[i], "dev") != 0)
            return true;
    return false;
}

static bool is_set(const char *text) { return text[0] != '\0'; }

static int check_modes(const struct gw_config *config, struct gw_error *err)
{
    if (config->modes.count == 0)
        return RULE(err, "modes", "a process must serve at least one mode; write { \"dev\" }");
    for (size_t i = 0; i < config->modes.count; i++) {
        const char *mode = config->modes.items[i];
        if (!gw_id_is_valid(mode, strlen(mode)))
            return RULE(err, "modes", "\"%.70s\" is no id: letters, digits, '.', '_' and '-', at most %d", mode, GW_ID_MAX);
        for (size_t j = 0; j < i; j++)
            if (strcmp(mode, config->modes.items[j]) == 0)
                return RULE(err, "modes", "\"%s\" is named twice", mode);
    }
    return 0;
}

static int check_drivers(const struct gw_config *config, struct gw_error *err)
{
    const struct driver drivers[] = {
        {"spine", config->spine, strcmp(config->spine, "sqlite") == 0 || strcmp(config->spine, "memory") == 0},
        {"registry", config->registry, strcmp(config->registry, "files") == 0},
    };
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
        if (!drivers[i].is_embedded)
            continue;
        gw_error_set(err, GW_EINVAL, "no_real_driver", "no real driver configured for the %s: \"%s\" is embedded and serves mode dev only",
                     drivers[i].port, drivers[i].name);
        gw_error_prefix(err, "modes");
        return GW_EINVAL;
    }
    return 0;
}

/* A real mode depends on nothing of the local file system, not even to read; keys come from the environment. */
static int check_no_local_files(const struct gw_config *config, struct gw_error *err)
{
    if (is_set(config->jwt.jwks_file))
        return RULE(err, "jwt.jwks_file", "a real mode reads no local file; use jwt.jwks_url");
    if (is_set(config->tls.cert))
        return RULE(err, "tls.cert", "a real mode reads no local file; end TLS in front of the gateway");
    return 0;
}

static int check_real_keys(const struct gw_config *config, struct gw_error *err)
{
    if (config->seal_keys.count == 0)
        return RULE(err, "seal_keys", "a real mode needs seal keys from the environment: set ATOMS_SEAL_KEYS");
    if (!is_set(config->jwt.secret) && !is_set(config->jwt.jwks_url))
        return RULE(err, "jwt", "a real mode needs jwt.jwks_url or jwt.secret");
    if (is_set(config->jwt.jwks_url) && strncmp(config->jwt.jwks_url, "https://", 8) != 0)
        return RULE(err, "jwt.jwks_url", "in a real mode it must be an https URL");
    return 0;
}

static int check_real_modes(const struct gw_config *config, struct gw_error *err)
{
    if (!gw_config_has_real_mode(config))
        return 0;
    int rc = check_drivers(config, err);
    if (rc == 0)
        rc = check_no_local_files(config, err);
    if (rc == 0)
        rc = check_real_keys(config, err);
    return rc;
}

static int check_secrets(const struct gw_config *config, struct gw_error *err)
{
    if (is_set(config->jwt.secret) && strlen(config->jwt.secret) < GW_JWT_SECRET_MIN_BYTES)
        return RULE(err, "jwt.secret", "must have at least %d bytes (RFC 7518 section 3.2); `openssl rand -hex 32` makes one",
                    GW_JWT_SECRET_MIN_BYTES);
    if (config->seal_keys.count == 0)
        return 0;
    struct gw_cursor_ring *ring;
    int rc = gw_config_make_seal_ring(config, &ring, err);
    if (rc == 0)
        gw_cursor_ring_destroy(ring);
    return rc;
}

static int check_reach(const struct gw_config *config, struct gw_error *err)
{
    bool has_keys = is_set(config->jwt.secret) || is_set(config->jwt.jwks_url) || is_set(config->jwt.jwks_file);
    if (!has_keys && !gw_config_is_loopback(&config->listen))
        return RULE(
            err, "listen",
            "beyond this machine the gateway needs keys of your own: set ATOMS_JWT_SECRET or ATOMS_JWKS_URL, or listen on 127.0.0.1");
    if (!is_set(config->admin.token) && !gw_config_is_loopback(&config->admin_listen))
        return RULE(err, "admin_listen",
                    "beyond this machine the admin listener needs a token: set ATOMS_ADMIN_TOKEN, or listen on 127.0.0.1");
    return 0;
}

static bool is_same_address(const struct gw_address *a, const struct gw_address *b)
{
    char x[GW_ADDRESS_TEXT_MAX], y[GW_ADDRESS_TEXT_MAX];
    gw_address_format(a, x);
    gw_address_format(b, y);
    return gw_address_port(a) != 0 && strcmp(x, y) == 0;
}

static int check_sink(const struct gw_config *config, struct gw_error *err)
{
    bool is_https = strncmp(config->sink_url, "https://", 8) == 0, is_webhook = strcmp(config->sink, "webhook") == 0;
    if (is_webhook && !is_https && strncmp(config->sink_url, "http://", 7) != 0)
        return RULE(err, is_set(config->sink_url) ? "sink_url" : "sink", "the webhook sink needs an http or https URL in sink_url");
    if (is_webhook && !is_https && gw_config_has_real_mode(config))
        return RULE(err, "sink_url", "in a real mode it must be an https URL");
    if (!is_webhook && (is_set(config->sink_url) || is_set(config->sink_token)))
        return RULE(err, is_set(config->sink_url) ? "sink_url" : "sink_token", "belongs to the webhook: set sink = \"webhook\"");
    return 0;
}

static int check_pairs(const struct gw_config *config, struct gw_error *err)
{
    if (is_set(config->tls.cert) != is_set(config->tls.key))
        return RULE(err, "tls", "tls.cert and tls.key belong together: set both or neither");
    if (is_same_address(&config->listen, &config->admin_listen))
        return RULE(err, "admin_listen", "is the same address as listen; the two listeners must differ");
    if (config->limits.max_batch_bytes < config->limits.max_body_bytes)
        return RULE(err, "limits.max_batch_bytes", "must not be below limits.max_body_bytes");
    return 0;
}

static int check_url(const struct gw_config *config, struct gw_error *err)
{
    const char *url = config->jwt.jwks_url;
    if (is_set(url) && strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
        return RULE(err, "jwt.jwks_url", "must begin with https:// (or http:// in mode dev)");
    return 0;
}

/* An origin is scheme://host[:port], without a path (RFC 6454 section 6.2). */
static bool is_origin(const char *text)
{
    const char *host = strstr(text, "://");
    return host != NULL && host > text && host[3] != '\0' && strpbrk(host + 3, "/?#@ *") == NULL;
}

static int check_origins(const struct gw_config *config, struct gw_error *err)
{
    const struct gw_text_list *origins = &config->cors.origins;
    for (size_t i = 0; i < origins->count; i++) {
        if (strcmp(origins->items[i], "*") == 0 && origins->count > 1)
            return RULE(err, "cors.origins", "\"*\" stands alone: it already covers the others");
        if (strcmp(origins->items[i], "*") != 0 && !is_origin(origins->items[i]))
            return RULE(err, "cors.origins", "\"%.100s\" is no origin; write https://app.example, without a path", origins->items[i]);
    }
    return 0;
}

static int check_files(const struct gw_config *config, struct gw_error *err)
{
    const struct {
        const char *setting, *path;
    } files[] = {{"tls.cert", config->tls.cert},
                 {"tls.key", config->tls.key},
                 {"jwt.jwks_file", config->jwt.jwks_file},
                 {"registry_file", config->registry_file}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (is_set(files[i].path) && access(files[i].path, R_OK) != 0)
            return RULE(err, files[i].setting, "\"%.100s\" cannot be read: %s", files[i].path, strerror(errno));
    return 0;
}

static int check_folder(const char *path, const char *setting, struct gw_error *err)
{
    if (!is_set(path) || gw_file_is_folder(path))
        return 0;
    return RULE(err, setting, "\"%.150s\" is no folder", path);
}

static int check_folders(const struct gw_config *config, struct gw_error *err)
{
    if (!is_set(config->data_dir))
        return RULE(err, "data_dir", "the embedded stores need a folder");
    if (!is_set(config->canvases_dir))
        return RULE(err, "canvases_dir", "no canvases folder lies beside the program: set ATOMS_CANVASES_DIR");
    if (!is_set(config->policies_dir))
        return RULE(err, "policies_dir", "no policies folder lies beside the program: set ATOMS_POLICIES_DIR");
    if (!is_set(config->lua_dir))
        return RULE(err, "lua_dir", "no lua folder lies beside the program: set ATOMS_LUA_DIR");
    int rc = check_folder(config->canvases_dir, "canvases_dir", err);
    if (rc == 0)
        rc = check_folder(config->policies_dir, "policies_dir", err);
    return rc != 0 ? rc : check_folder(config->lua_dir, "lua_dir", err);
}

/* Turns the setting in err->path into file:line when the file speaks of it; its name then begins the message. */
static void place(const struct gw_config *config, struct gw_error *err)
{
    char name[sizeof err->path], pointer[sizeof err->path + 1], message[sizeof err->message];
    memcpy(name, err->path, sizeof name);
    memcpy(message, err->message, sizeof message);
    const struct gw_json *value = config->source ? gw_data_file_value(config->source) : NULL;
    for (const char *at = name; value != NULL && *at != '\0';) {
        size_t width = strcspn(at, ".");
        value = gw_json_is_object(value) ? gw_json_getn(value, at, width) : NULL;
        at += width + (at[width] == '.');
    }
    if (value == NULL)
        return;
    snprintf(pointer, sizeof pointer, "/%s", name);
    for (char *p = strchr(pointer, '.'); p != NULL; p = strchr(p, '.'))
        *p = '/';
    gw_data_file_where(config->source, pointer, err->path, sizeof err->path);
    snprintf(err->message, sizeof err->message, "%.40s: %.190s", name, message);
}

int gw_config_check(const struct gw_config *config, struct gw_error *err)
{
    int (*const rules[])(const struct gw_config *, struct gw_error *) = {check_modes, check_real_modes, check_url,  check_secrets,
                                                                         check_reach, check_pairs,      check_sink, check_origins,
                                                                         check_files, check_folders};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        int rc = rules[i](config, err);
        if (rc != 0) {
            place(config, err);
            return rc;
        }
    }
    return 0;
}
