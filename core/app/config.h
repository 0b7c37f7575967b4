/* config.h — the settings of this process, and nothing else: what belongs to a tenant lives in the registry. A value is found in this order: the configuration file
 * (a Lua table, evaluated as data with env("NAME")), the environment variables that the shipped configuration reads, the shipped default. Owns its text; immutable
 * once loaded, so any thread may read it. Loading is blocking and happens before any thread starts. Fails with file:line and a hint; never prints
 * a secret. */
#ifndef GW_APP_CONFIG_H
#define GW_APP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_clock;
struct gw_error;

/* value: a parsed "host:port" or "[v6]:port" */
struct gw_address {
    char host[256]; /* without brackets */
    uint16_t port;  /* 0: the system picks one */
};

/* value */
struct gw_text_list {
    char **items;
    size_t count;
};

/* value: times in milliseconds, sizes in bytes; config_schema.c holds the range of each */
struct gw_config_limits {
    int64_t max_connections;
    int64_t max_streams_per_actor; /* per worker */
    int64_t max_header_bytes;      /* request line and headers together */
    int64_t max_body_bytes;
    int64_t max_batch_bytes;
    int64_t max_batch_commands;
    int64_t max_json_depth;
    int64_t max_json_nodes;
    int64_t max_pipelined_requests;
    int64_t header_timeout_ms;
    int64_t body_timeout_ms;
    int64_t idle_timeout_ms;
    int64_t heartbeat_ms;
    int64_t max_replay_events;
    int64_t ring_bytes;         /* per feed */
    int64_t replay_cache_bytes; /* per worker: encoded blocks of 256 seqs */
    int64_t max_feeds_per_run;
    int64_t run_idle_ms; /* then it is unloaded */
    int64_t max_runs;    /* loaded at once, per worker */
    int64_t max_pending_commands; /* per run */
    int64_t mailbox_messages;     /* per thread */
    int64_t max_base64_run;
};

/* value; text is "" and lists are empty where nothing is set */
struct gw_config {
    struct gw_address listen;
    struct gw_address admin_listen;
    struct gw_text_list modes;
    char *data_dir;
    char *policies_dir; /* "": none, the built-in plans apply */
    char *canvases_dir;
    int64_t workers;
    char *spine;    /* "sqlite" | "memory" */
    char *registry; /* "files" */
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
    char *log_level;
    int64_t shutdown_ms;
};

/* value: what loading may ask of the world; tests pass their own */
struct gw_config_world {
    void *self;
    const char *(*env)(void *self, const char *name);
    const char *shipped_root; /* the folder that holds the shipped canvases/ and policies/; "" = none */
};

/* The process environment and the shipped root found from the program's own place. `root` is the caller's memory that the answer points into. */
struct gw_config_world gw_config_world_system(char *root, size_t size);

/* Shipped configuration, environment, and `file` (NULL: none), checked against the schema. Leaves no file behind and reads none but `file`. Error ids: those of
 * script/data_file.h and config_unknown, config_type, config_value. On failure *config needs no fini. */
int gw_config_load(const char *file, const struct gw_config_world *world, struct gw_config *config, struct gw_error *err);
void gw_config_fini(struct gw_config *config); /* zeroes the secrets */

/* The rules between settings that hold in any process: real modes, loopback, pairs that belong together. Reads no file. Error ids config_rule, no_real_driver. */
int gw_config_check(const struct gw_config *config, struct gw_error *err);
/* Sees to it that there is a way to verify bearers: when neither a secret nor a key set is configured, jwt.secret becomes that of data_dir/jwt-secret, which is made
 * (mode 0600) when missing. Call it after gw_config_check, which already refuses what such a secret cannot serve. */
int gw_config_ensure_secret(struct gw_config *config, const struct gw_clock *clock, struct gw_error *err);

/* The Lua text of the shipped configuration, with comments; a file may start as its copy. */
const char *gw_config_shipped(void);
bool gw_address_is_loopback(const struct gw_address *address);

#endif
