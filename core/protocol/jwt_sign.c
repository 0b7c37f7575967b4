#include <assert.h>
#include <string.h>

#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "protocol/jwt.h"
#include "protocol/jwt_key_internal.h"

static void append_base64url(struct gw_buffer *out, const void *bytes, size_t length)
{
    char *room = gw_buffer_reserve(out, GW_BASE64URL_LENGTH(length) + 1);
    if (room)
        gw_buffer_commit(out, gw_base64url_encode(bytes, length, room));
}

static void append_part(struct gw_buffer *out, const struct gw_buffer *part)
{
    if (part->has_failed)
        out->has_failed = true;
    else
        append_base64url(out, part->data, part->length);
}

static void write_header(const struct gw_jwt_key *key, struct gw_buffer *out)
{
    gw_buffer_append_text(out, "{\"alg\":\"HS256\",\"typ\":\"JWT\"");
    if (key->kid) {
        gw_buffer_append_text(out, ",\"kid\":");
        gw_buffer_append_json_string(out, key->kid, strlen(key->kid));
    }
    gw_buffer_append_char(out, '}');
}

int gw_jwt_sign(const struct gw_jwt_key *key, const struct gw_json *payload, struct gw_buffer *out, struct gw_error *err)
{
    uint8_t signature[GW_SHA256_BYTES];
    struct gw_buffer part;
    size_t start = out->length;
    assert(key->alg == GW_JWT_HS256 && gw_json_is_object(payload));
    gw_buffer_init(&part, 0);
    write_header(key, &part);
    append_part(out, &part);
    gw_buffer_append_char(out, '.');
    gw_buffer_reset(&part);
    gw_json_write(payload, &part);
    append_part(out, &part);
    gw_buffer_fini(&part);
    if (!out->has_failed) {
        gw_hmac_sha256(key->secret, key->secret_length, out->data + start, out->length - start, signature);
        gw_buffer_append_char(out, '.');
        append_base64url(out, signature, sizeof signature);
    }
    return out->has_failed ? gw_error_set(err, GW_ENOMEM, "out_of_memory", "No memory for a bearer") : 0;
}
