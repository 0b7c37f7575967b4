#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "protocol/jwt.h"

/* Times beyond it are as good as never, and sums with it cannot overflow. */
static const double time_max = 9007199254740991.0;

/* RFC 7519 section 2, NumericDate: a fraction is allowed; a bearer ends with its last whole second. */
static int64_t seconds(const struct gw_json *value)
{
    double number = gw_json_number(value);
    if (number > time_max)
        number = time_max;
    if (number < -time_max)
        number = -time_max;
    int64_t whole = (int64_t)number;
    return (double)whole > number ? whole - 1 : whole;
}

static int refuse(struct gw_error *err, const char *path, const char *why)
{
    int rc = gw_error_set(err, GW_EAUTH, "bearer_claims", "%s", why);
    gw_error_prefix(err, path);
    return rc;
}

static bool is_text(const struct gw_json *value, const char *text)
{
    size_t length;
    const char *found = gw_json_is_string(value) ? gw_json_text(value, &length) : NULL;
    return found && length == strlen(text) && memcmp(found, text, length) == 0;
}

/* RFC 7519 section 4.1.3: one name or an array of names. */
static bool is_meant_for(const struct gw_json *audience, const char *name)
{
    if (!gw_json_is_array(audience))
        return is_text(audience, name);
    for (size_t i = 0; i < gw_json_count(audience); i++)
        if (is_text(gw_json_at(audience, i), name))
            return true;
    return false;
}

static int check_times(const struct gw_json *payload, const struct gw_jwt_checks *checks, struct gw_error *err)
{
    const struct gw_json *expiry = gw_json_get(payload, "exp");
    const struct gw_json *begin = gw_json_get(payload, "nbf");
    const struct gw_json *issued = gw_json_get(payload, "iat");
    if (!gw_json_is_number(expiry))
        return refuse(err, "/exp", "A bearer needs exp, a number of seconds");
    if (begin && !gw_json_is_number(begin))
        return refuse(err, "/nbf", "nbf is no number of seconds");
    if (issued && !gw_json_is_number(issued))
        return refuse(err, "/iat", "iat is no number of seconds");
    if (checks->now_s - checks->leeway_s >= seconds(expiry))
        return gw_error_set(err, GW_EAUTH, "bearer_expired", "The bearer has expired");
    if (begin && checks->now_s + checks->leeway_s < seconds(begin))
        return gw_error_set(err, GW_EAUTH, "bearer_not_yet_valid", "The bearer is not valid yet");
    return 0;
}

int gw_jwt_check_claims(const struct gw_json *payload, const struct gw_jwt_checks *checks, struct gw_error *err)
{
    int rc = check_times(payload, checks, err);
    if (rc)
        return rc;
    if (checks->issuer && !is_text(gw_json_get(payload, "iss"), checks->issuer))
        return refuse(err, "/iss", "The bearer is of another issuer");
    if (checks->audience && !is_meant_for(gw_json_get(payload, "aud"), checks->audience))
        return refuse(err, "/aud", "The bearer is meant for another audience");
    return 0;
}

int64_t gw_jwt_expiry_s(const struct gw_json *payload) { return seconds(gw_json_get(payload, "exp")); }
