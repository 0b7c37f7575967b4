/* config.h — the settings of this process, and nothing else: what belongs to a tenant lives in the registry. A value is found in this
 * order: the configuration file (a Lua table, evaluated as data with env("NAME")), the environment variables that the shipped configuration
 * reads, the shipped default. Owns its text; immutable once loaded, so any thread may read it. Loading is blocking and happens before any
 * thread starts. Fails with file:line and a hint; never prints a secret. */
#ifndef GW_APP_CONFIG_H
#define GW_APP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/address.h"

struct gw_buffer;
struct gw_clock;
struct gw_cursor_ring;
struct gw_data_file;
struct gw_error;

/* value */
struct gw_text_list {
    char **items;
    size_t count;
};

/* value: times in milliseconds, sizes in bytes; config_schema.c holds default and range of each */
struct gw_config_limits {
    int64_t max_connections;       /* of the process */
    int64_t max_streams_per_actor; /* per worker */
    int64_t max_pipelined_requests;
    int64_t max_header_bytes; /* all header lines together */
    int64_t max_body_bytes;
    int64_t max_batch_bytes;
    int64_t max_batch_commands;
    int64_t max_json_depth;
    int64_t max_json_nodes;
    int64_t max_base64_run;
    int64_t header_timeout_ms;
    int64_t body_timeout_ms;
    int64_t idle_timeout_ms;
    int64_t heartbeat_ms;
    int64_t max_runs; /* loaded at once, per worker */
    int64_t max_feeds_per_run, max_feeds_per_actor;
    int64_t max_waiting_commands; /* per run */
    int64_t max_replay_events;
    int64_t ring_bytes;        /* per feed */
    int64_t block_cache_bytes; /* per worker */
    int64_t record_bytes;      /* per group commit */
    int64_t checkpoint_events;
    int64_t commit_events;  /* 0: never */
    int64_t commit_idle_ms; /* 0: never */
    int64_t run_idle_ms;    /* then it is unloaded */
    int64_t view_idle_ms;
    int64_t chat_lease_ms, gesture_lease_ms, max_present_actors;
    int64_t mailbox_messages; /* per thread */
};

/* value; text is "" and lists are empty where nothing is set */
struct gw_config {
    struct gw_address listen;
    struct gw_address admin_listen;
    struct gw_text_list modes;
    char *data_dir;
    char *policies_dir, *canvases_dir;
    char *lua_dir; /* the library that scripts may require */
    int64_t workers;
    char *spine;         /* "sqlite" | "memory" */
    char *registry;      /* "files" */
    char *registry_file; /* "": there are no tenants, and so no flows */
    struct {
        char *secret; /* HS256; secret */
        char *jwks_file;
        char *jwks_url;
        char *issuer;
        char *audience;
        int64_t leeway_s;
        bool is_secret_generated; /* made by this program in data_dir, not given */
    } jwt;
    struct gw_text_list seal_keys; /* secret; the first seals, all open */
    bool are_seal_keys_generated;
    struct {
        char *cert; /* PEM files; both or neither */
        char *key;
    } tls;
    struct {
        struct gw_text_list origins; /* exact origins, or "*" */
        int64_t max_age_s;
    } cors;
    struct {
        struct gw_text_list allowed_hosts; /* names without port */
        char *token;                       /* secret; "": only the custom header protects, and only a loopback listen is allowed */
    } admin;
    struct gw_config_limits limits;
    struct {
        int64_t call_instructions;
        int64_t call_ms;
        int64_t memory_bytes; /* of one Lua state */
        int64_t tenant_ms_per_s;
        int64_t max_states; /* per worker */
        int64_t max_overlays, keep_versions;
        char *overlay_on_failure, *watch; /* "deny" | "keep_old"; "on" | "off" */
    } scripts;
    char *sink;       /* "none" | "stdout" | "webhook" */
    char *sink_url;   /* of the webhook */
    char *sink_token; /* secret; sent to it as a bearer; "": none */
    char *log_level;
    int64_t shutdown_ms;
    struct gw_data_file *source; /* the file, for placing errors; NULL without one */
};

/* value: what loading may ask of the world; tests pass their own */
struct gw_config_world {
    void *self;
    const char *(*env)(void *self, const char *name);
    const char *shipped_root; /* the folder that holds the shipped canvases/, policies/ and lua/; "" = none */
    int64_t cpu_count;        /* the default of `workers` */
};

/* The process environment and the shipped root found from the program's own place. `root` is the caller's memory that the answer points
 * into. */
struct gw_config_world gw_config_world_system(char *root, size_t size);

/* Shipped configuration, environment, and `file` (NULL: none), checked against the schema. Leaves no file behind and reads none but `file`.
 * Error ids: those of script/data_file.h and config_unknown, config_type, config_value. On failure *config needs no fini. */
int gw_config_load(const char *file, const struct gw_config_world *world, struct gw_config *config, struct gw_error *err);
void gw_config_fini(struct gw_config *config); /* zeroes the secrets */

bool gw_config_is_loopback(const struct gw_address *address);
/* Any mode but dev. */
bool gw_config_has_real_mode(const struct gw_config *config);

/* The rules between settings that hold in any process: real modes, loopback, pairs that belong together; folders that must exist. Reads no
 * file. err->path is file:line where the file
 * speaks of the setting, else the setting. Error ids config_rule, no_real_driver. */
int gw_config_check(const struct gw_config *config, struct gw_error *err);
/* Fills in the secrets that nobody gave, from data_dir, where they are made (mode 0600) when missing: jwt.secret when neither a secret nor
 * a key set is configured (file jwt-secret), a seal key (file seal-key). Call it after gw_config_check, which refuses what such secrets
 * cannot serve. Ids: those of base/file.h, config_secret. */
int gw_config_ensure_secrets(struct gw_config *config, const struct gw_clock *clock, struct gw_error *err);

/* The cursors' key ring from seal_keys. GW_EINVAL (bad_seal_keys, err->path seal_keys): not base64url keys of 32 bytes, or none. */
int gw_config_make_seal_ring(const struct gw_config *config, struct gw_cursor_ring **out, struct gw_error *err);

/* The Lua text of the shipped configuration, with a comment for each setting; a file may start as its copy. */
void gw_config_write_shipped(int64_t cpu_count, struct gw_buffer *out);
/* One line a setting, `name = value`; secrets only as "(set)". */
void gw_config_write_effective(const struct gw_config *config, struct gw_buffer *out);

#endif
