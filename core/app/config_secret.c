#include <stdio.h>
#include <string.h>

#include "app/config.h"
#include "app/config_list.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "protocol/cursor.h"

#define SECRET_BYTES    32
#define MAX_SECRET_FILE ((size_t)4096)

static int make_secret(const char *path, const struct gw_clock *clock, struct gw_error *err)
{
    uint8_t bytes[SECRET_BYTES];
    char text[GW_BASE64URL_LENGTH(SECRET_BYTES) + 2];
    clock->random(clock->self, bytes, sizeof bytes);
    size_t length = gw_base64url_encode(bytes, sizeof bytes, text);
    text[length] = '\n';
    int rc = gw_file_create_private(path, text, length + 1, err);
    gw_zero_secret(bytes, sizeof bytes);
    gw_zero_secret(text, sizeof text);
    return rc == GW_ECONFLICT ? 0 : rc; /* another process was quicker: its secret is as good */
}

static int read_secret(const char *path, char **out, struct gw_error *err)
{
    struct gw_buffer text;
    gw_buffer_init(&text, MAX_SECRET_FILE * 8);
    int rc = gw_file_read_private(path, MAX_SECRET_FILE, &text, err);
    size_t length = text.length;
    while (rc == 0 && length > 0 && (text.data[length - 1] == '\n' || text.data[length - 1] == '\r'))
        length--;
    if (rc == 0 && length < SECRET_BYTES) {
        rc = gw_error_set(err, GW_EINVAL, "config_secret", "holds no secret; remove it and a new one is made");
        gw_error_prefix(err, path);
    }
    if (rc == 0) {
        *out = gw_alloc(length + 1);
        memcpy(*out, text.data, length);
    }
    if (text.data != NULL)
        gw_zero_secret(text.data, text.capacity);
    gw_buffer_fini(&text);
    return rc;
}

/* The secret of data_dir/name, made when missing; the caller frees it. */
static int find_secret(const struct gw_config *config, const char *name, const struct gw_clock *clock, char **out, struct gw_error *err)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", config->data_dir, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        gw_error_set(err, GW_EINVAL, "config_secret", "data_dir is too long a path");
        return GW_EINVAL;
    }
    int rc = gw_file_make_folder(config->data_dir, err);
    if (rc == 0)
        rc = read_secret(path, out, err);
    if (rc != GW_ENOTFOUND)
        return rc;
    rc = make_secret(path, clock, err);
    return rc != 0 ? rc : read_secret(path, out, err);
}

int gw_config_ensure_secrets(struct gw_config *config, const struct gw_clock *clock, struct gw_error *err)
{
    bool has_keys = config->jwt.secret[0] != '\0' || config->jwt.jwks_url[0] != '\0' || config->jwt.jwks_file[0] != '\0';
    if (!has_keys) {
        char *secret = NULL;
        int rc = find_secret(config, "jwt-secret", clock, &secret, err);
        if (rc != 0)
            return rc;
        gw_free(config->jwt.secret);
        config->jwt.secret = secret;
        config->jwt.is_secret_generated = true;
    }
    if (config->seal_keys.count == 0) {
        char *key = NULL;
        int rc = find_secret(config, "seal-key", clock, &key, err);
        if (rc != 0)
            return rc;
        gw_text_list_add(&config->seal_keys, key, strlen(key));
        gw_zero_secret(key, strlen(key));
        gw_free(key);
        config->are_seal_keys_generated = true;
    }
    return 0;
}

int gw_config_make_seal_ring(const struct gw_config *config, struct gw_cursor_ring **out, struct gw_error *err)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    for (size_t i = 0; i < config->seal_keys.count; i++) {
        gw_buffer_append_text(&text, i ? "," : "");
        gw_buffer_append_text(&text, config->seal_keys.items[i]);
    }
    gw_buffer_append_char(&text, '\0');
    int rc = text.has_failed ? gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the seal keys") : 0;
    if (rc == 0)
        rc = gw_cursor_ring_parse(text.data, out, err);
    if (rc != 0) {
        err->path[0] = '\0';
        gw_error_prefix(err, "seal_keys");
    }
    if (text.data != NULL)
        gw_zero_secret(text.data, text.capacity);
    gw_buffer_fini(&text);
    return rc;
}
