#include "app/config_schema.h"

#include <string.h>

#include "app/config.h"

#define AT(member)              offsetof(struct gw_config, member)
#define PLAIN(k, n, m, v, p, d) .kind = (k), .name = (n), .offset = AT(m), .variable = (v), .preset = (p), .description = (d)
#define TEXT(n, m, v, p, d)                                                                                                                \
    {                                                                                                                                      \
        PLAIN(GW_SETTING_TEXT, n, m, v, p, d)                                                                                              \
    }
#define SECRET(n, m, v, d)                                                                                                                 \
    {                                                                                                                                      \
        PLAIN(GW_SETTING_TEXT, n, m, v, "\"\"", d), .is_secret = true                                                                      \
    }
#define CHOICE(n, m, v, p, c, d)                                                                                                           \
    {                                                                                                                                      \
        PLAIN(GW_SETTING_CHOICE, n, m, v, p, d), .choices = (c)                                                                            \
    }
#define ADDRESS(n, m, v, p, d)                                                                                                             \
    {                                                                                                                                      \
        PLAIN(GW_SETTING_ADDRESS, n, m, v, p, d)                                                                                           \
    }
#define LIST(n, m, v, p, s, d)                                                                                                             \
    {                                                                                                                                      \
        PLAIN(GW_SETTING_LIST, n, m, v, p, d), .is_secret = (s)                                                                            \
    }
#define NUMBER(n, m, v, p, low, high, d)                                                                                                   \
    {                                                                                                                                      \
        PLAIN(GW_SETTING_INTEGER, n, m, v, p, d), .min = (low), .max = (high)                                                              \
    }
#define LIMIT(m, p, low, high, d) NUMBER("limits." #m, limits.m, NULL, p, low, high, d)

#define KIB     INT64_C(1024)
#define MIB     (KIB * KIB)
#define HOUR_MS INT64_C(3600000)

/* clang-format off: one setting a line */
static const struct gw_setting settings[] = {
    ADDRESS("listen", listen, "ATOMS_LISTEN", "\"127.0.0.1:8080\"", "address and port of the public listener; port 0 picks a free one"),
    ADDRESS("admin_listen", admin_listen, "ATOMS_ADMIN_LISTEN", "\"127.0.0.1:8081\"", "address and port of /metrics and /admin"),
    LIST("modes", modes, "ATOMS_MODES", "\"dev\"", false, "the modes that this process serves; every mode but dev is a real one"),
    TEXT("data_dir", data_dir, "ATOMS_DATA_DIR", "\"atoms-data\"", "folder of the embedded stores (mode dev only)"),
    TEXT("policies_dir", policies_dir, "ATOMS_POLICIES_DIR", "\"\"", "folder of the policies; empty: the one shipped with the program"),
    TEXT("canvases_dir", canvases_dir, "ATOMS_CANVASES_DIR", "\"\"", "folder of the canvases; empty: the one shipped with the program"),
    TEXT("lua_dir", lua_dir, "ATOMS_LUA_DIR", "\"\"",
         "folder of the library that scripts require; empty: the one shipped with the program"),
    NUMBER("workers", workers, "ATOMS_WORKERS", NULL, 1, 256, "event loops; the default is one per processor"),
    CHOICE("spine", spine, "ATOMS_SPINE", "\"sqlite\"", "sqlite|memory", "where events are stored; memory forgets everything at exit"),
    CHOICE("registry", registry, NULL, "\"files\"", "files", "where tenants and flows are described"),
    TEXT("registry_file", registry_file, "ATOMS_REGISTRY_FILE", "\"\"",
         "Lua file of the tenants and flows; empty: the one shipped with the program"),
    LIST("seal_keys", seal_keys, "ATOMS_SEAL_KEYS", "\"\"", true,
         "keys of the cursors: the first seals, all open; empty: one made in data_dir"),
    NUMBER("shutdown_ms", shutdown_ms, "ATOMS_SHUTDOWN_MS", "10000", 0, HOUR_MS, "how long an orderly end may take"),

    CHOICE("sink", sink, "ATOMS_SINK", "\"none\"", "none|stdout|webhook", "where log lines of runs go besides the run's own events"),
    TEXT("sink_url", sink_url, "ATOMS_SINK_URL", "\"\"", "URL that the webhook sink posts to"),
    SECRET("sink_token", sink_token, "ATOMS_SINK_TOKEN", "sent to it as a bearer; empty: none"),

    SECRET("jwt.secret", jwt.secret, "ATOMS_JWT_SECRET",
           "shared secret of HS256 bearers; empty: one made in data_dir, unless a key set is given"),
    TEXT("jwt.jwks_file", jwt.jwks_file, "ATOMS_JWKS_FILE", "\"\"", "key set of the bearers, from a file"),
    TEXT("jwt.jwks_url", jwt.jwks_url, "ATOMS_JWKS_URL", "\"\"", "key set of the bearers, from a URL"),
    TEXT("jwt.issuer", jwt.issuer, "ATOMS_JWT_ISSUER", "\"\"", "required iss; empty: not checked"),
    TEXT("jwt.audience", jwt.audience, "ATOMS_JWT_AUDIENCE", "\"\"", "required aud; empty: not checked"),
    NUMBER("jwt.leeway_s", jwt.leeway_s, NULL, "5", 0, 60, "tolerated difference of clocks, in seconds"),

    TEXT("tls.cert", tls.cert, "ATOMS_TLS_CERT", "\"\"", "PEM file: the certificate, then its chain; empty: no TLS"),
    TEXT("tls.key", tls.key, "ATOMS_TLS_KEY", "\"\"", "PEM file: the key of that certificate"),

    LIST("cors.origins", cors.origins, "ATOMS_CORS_ORIGINS", "\"\"", false, "origins whose pages may call: https://app.example, or *"),
    NUMBER("cors.max_age_s", cors.max_age_s, NULL, "600", 0, 86400, "how long a browser may remember that"),

    LIST("admin.allowed_hosts", admin.allowed_hosts, "ATOMS_ADMIN_HOSTS", "\"localhost,127.0.0.1,::1\"", false,
         "names under which the admin listener answers"),
    SECRET("admin.token", admin.token, "ATOMS_ADMIN_TOKEN", "bearer of the admin listener; needed when it listens beyond this machine"),

    CHOICE("log.level", log_level, "ATOMS_LOG_LEVEL", "\"info\"", "debug|info|warn|error", "the least that is logged"),

    LIMIT(max_connections, "10000", 1, 10000000, "open connections of the process"),
    LIMIT(max_streams_per_actor, "10000", 1, 10000000, "open streams of one actor, per worker"),
    LIMIT(max_pipelined_requests, "64", 1, 65536, "requests that wait on one connection"),
    LIMIT(max_header_bytes, "16384", 1024, MIB, "all header lines together"),
    LIMIT(max_body_bytes, "262144", 1024, 64 * MIB, "body of one request"),
    LIMIT(max_batch_bytes, "1048576", 1024, 64 * MIB, "body of a batch of commands"),
    LIMIT(max_batch_commands, "64", 1, 4096, "commands of one batch"),
    LIMIT(max_json_depth, "32", 4, 256, "nesting of a body"),
    LIMIT(max_json_nodes, "16384", 64, 1048576, "values in a body"),
    LIMIT(max_base64_run, "1024", 64, MIB, "unbroken base64 or hex characters in a text"),
    LIMIT(header_timeout_ms, "10000", 100, HOUR_MS, "time for a request's headers"),
    LIMIT(body_timeout_ms, "30000", 100, HOUR_MS, "time for a body, and again for each 64 KiB of it; not for streamed ones"),
    LIMIT(idle_timeout_ms, "60000", 100, 24 * HOUR_MS, "time between two requests"),
    LIMIT(heartbeat_ms, "15000", 100, HOUR_MS, "time between two comments on a quiet stream"),
    LIMIT(max_runs, "10000", 1, 10000000, "runs in memory, per worker"),
    LIMIT(max_feeds_per_run, "256", 1, 65536, "projections of a run that keep a feed"),
    LIMIT(max_feeds_per_actor, "32", 1, 65536, "those of them that streams of one actor were the first to follow"),
    LIMIT(max_waiting_commands, "4096", 1, 1048576, "commands that wait, per run"),
    LIMIT(max_replay_events, "1000000", 1, INT64_C(1000000000), "events that a resume may replay before it becomes a reset"),
    LIMIT(ring_bytes, "2097152", 4 * KIB, 1024 * MIB, "encoded events kept per feed"),
    LIMIT(block_cache_bytes, "67108864", MIB, 65536 * MIB, "replayed blocks kept, per worker"),
    LIMIT(record_bytes, "1048576", 64 * KIB, 1536 * KIB, "events of one group commit"),
    LIMIT(checkpoint_events, "4096", 16, 10000000, "events between two checkpoints"),
    LIMIT(commit_events, "1000", 0, 10000000, "events on a canvas until the gateway commits it; 0: never"),
    LIMIT(commit_idle_ms, "30000", 0, 24 * HOUR_MS, "time until the gateway commits a canvas that has stopped growing; 0: never"),
    LIMIT(run_idle_ms, "60000", 100, 24 * HOUR_MS, "time until a quiet run leaves memory"),
    LIMIT(view_idle_ms, "10000", 100, 24 * HOUR_MS, "time until an unused projection leaves memory"),
    LIMIT(chat_lease_ms, "30000", 100, HOUR_MS, "how long the producer of a streamed message may be silent before it is ended"),
    LIMIT(max_present_actors, "256", 1, 65536, "actors of a run whom others see to be there"),
    LIMIT(gesture_lease_ms, "30000", 100, HOUR_MS, "how long a gesture holds that is not made again"),
    LIMIT(mailbox_messages, "65536", 64, 16777216, "messages that wait, per thread"),

    NUMBER("scripts.call_instructions", scripts.call_instructions, NULL, "1000000", 10000, 1000000000, "Lua instructions of one call"),
    NUMBER("scripts.call_ms", scripts.call_ms, NULL, "50", 1, 10000, "time of one call"),
    NUMBER("scripts.memory_bytes", scripts.memory_bytes, NULL, "8388608", 256 * KIB, 1024 * MIB, "memory of one Lua state"),
    NUMBER("scripts.tenant_ms_per_s", scripts.tenant_ms_per_s, NULL, "100", 1, 1000, "script time of one tenant each second, per worker"),
    NUMBER("scripts.max_states", scripts.max_states, NULL, "256", 1, 65536, "Lua states, per worker"),
    NUMBER("scripts.max_overlays", scripts.max_overlays, NULL, "1024", 1, 1048576, "policies of single tenants kept in memory"),
    NUMBER("scripts.keep_versions", scripts.keep_versions, NULL, "16", 1, 1048576,
           "newest versions of a tenant's policies that stay in the registry"),
    CHOICE("scripts.watch", scripts.watch, "ATOMS_WATCH_SCRIPTS", "\"on\"", "on|off", "a saved file switches by itself; in mode dev only"),
    CHOICE("scripts.overlay_on_failure", scripts.overlay_on_failure, NULL, "\"deny\"", "deny|keep_old",
           "a tenant whose policies fail under new defaults: nothing is allowed, or its old ones stay"),
};
/* clang-format on */

size_t gw_setting_count(void) { return sizeof settings / sizeof *settings; }

const struct gw_setting *gw_setting_at(size_t index) { return &settings[index]; }

const struct gw_setting *gw_setting_find(const char *name, size_t length)
{
    for (size_t i = 0; i < gw_setting_count(); i++)
        if (strlen(settings[i].name) == length && memcmp(settings[i].name, name, length) == 0)
            return &settings[i];
    return NULL;
}

bool gw_setting_is_section(const char *name, size_t length)
{
    for (size_t i = 0; i < gw_setting_count(); i++)
        if (strncmp(settings[i].name, name, length) == 0 && settings[i].name[length] == '.')
            return true;
    return false;
}
