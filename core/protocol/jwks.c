#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "protocol/jwt_key.h"

static const struct gw_json_limits limits = {.max_bytes = (size_t)256 * 1024, .max_depth = 8, .max_nodes = 4096};

static int refuse(struct gw_error *err, const char *why) { return gw_error_set(err, GW_EINVAL, "bad_jwks", "%s", why); }

static int refuse_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "No memory for a key set"); }

/* A key that is no use is counted and passed over: RFC 7517 section 5. Only lack of memory is a failure. */
static int take_key(const struct gw_json *jwk, struct gw_jwks *set, struct gw_error *err)
{
    struct gw_jwt_key *key;
    int rc = gw_jwt_key_from_jwk(jwk, &key, err);
    if (rc == GW_ENOMEM)
        return rc;
    if (rc == 0 && gw_jwt_key_alg(key) != GW_JWT_HS256) {
        set->keys[set->count++] = key;
        return 0;
    }
    gw_jwt_key_destroy(key);
    set->skipped_count++;
    return 0;
}

static int take_keys(const struct gw_json *keys, struct gw_jwks *set, struct gw_error *err)
{
    size_t count = gw_json_count(keys);
    int rc = 0;
    if (!gw_json_is_array(keys))
        return refuse(err, "A key set is an object with an array \"keys\"");
    if (count > GW_JWKS_KEYS_MAX)
        return refuse(err, "The key set has more than 64 keys");
    set->keys = gw_try_grow(NULL, count, sizeof *set->keys);
    if (!set->keys)
        return refuse_memory(err);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = take_key(gw_json_at(keys, i), set, err);
    return rc;
}

int gw_jwks_parse(const char *text, size_t length, struct gw_jwks *out, struct gw_error *err)
{
    struct gw_json *document;
    *out = (struct gw_jwks){.keys = NULL};
    int rc = gw_json_parse(text, length, &limits, &document, err);
    if (rc == GW_ENOMEM)
        return rc;
    if (rc)
        return refuse(err, "The key set is not JSON, or too large");
    rc = gw_json_is_object(document) ? take_keys(gw_json_get(document, "keys"), out, err) : refuse(err, "A key set is a JSON object");
    gw_json_unref(document);
    if (rc)
        gw_jwks_fini(out);
    return rc;
}

void gw_jwks_fini(struct gw_jwks *set)
{
    for (size_t i = 0; i < set->count; i++)
        gw_jwt_key_destroy(set->keys[i]);
    gw_free(set->keys);
    *set = (struct gw_jwks){.keys = NULL};
}
