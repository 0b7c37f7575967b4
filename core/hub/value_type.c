#include "hub/value_type.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "hub/pointer.h"
#include "hub/value_schema.h"

#define LABEL_MAX       200
#define ENUM_VALUES_MAX 256
#define SAFE_INTEGER    9007199254740991.0 /* 2^53 - 1, RFC 7493 section 2.2 */

enum type { BOOLEAN, INTEGER, NUMBER, ENUM, STRING, COLOUR, JSON, SIDECAR, TYPE_COUNT };
static const char *const type_names[TYPE_COUNT] = {"boolean", "integer", "number", "enum", "string", "colour", "json", "sidecar"};

/* Which members a type may have beside type, default, label and required. */
static const struct {
    const char *name;
    unsigned types;
} members[] = {
    {"min", 1u << INTEGER | 1u << NUMBER},  {"max", 1u << INTEGER | 1u << NUMBER},
    {"step", 1u << INTEGER | 1u << NUMBER}, {"values", 1u << ENUM},
    {"max_length", 1u << STRING},           {"schema", 1u << JSON},
};

static enum type type_of(const struct gw_json *declaration)
{
    const struct gw_json *type = gw_json_get(declaration, "type");
    for (int i = 0; gw_json_is_string(type) && i < TYPE_COUNT; i++)
        if (strcmp(gw_json_text(type, NULL), type_names[i]) == 0)
            return (enum type)i;
    return TYPE_COUNT;
}

static int refuse_at(struct gw_error *err, const char *id, const char *key, const char *why)
{
    gw_error_set(err, GW_EINVAL, id, "%s %s", key, why);
    gw_pointer_prefix(err, key);
    return GW_EINVAL;
}

static bool is_whole(const struct gw_json *value)
{
    double number = gw_json_is_number(value) ? gw_json_number(value) : (double)NAN;
    return fabs(number) <= SAFE_INTEGER && floor(number) == number;
}

/* ---- a value against a declaration ------------------------------------------------------------------------------------------------------
 */

static int wrong_type(struct gw_error *err, const char *wanted, const struct gw_json *given)
{
    static const char *const names[] = {"null", "a boolean", "an integer", "a number", "a string", "an array", "an object"};
    return gw_error_set(err, GW_EINVAL, "wrong_type", "must be %s, given %s", wanted, names[gw_json_type(given)]);
}

/* Steps are decimal fractions that binary cannot hold, so a multiple is recognised within a billionth of a step. */
static bool is_on_step(const struct gw_json *declaration, double number)
{
    const struct gw_json *step = gw_json_get(declaration, "step"), *min = gw_json_get(declaration, "min");
    if (!step)
        return true;
    double steps = (number - (min ? gw_json_number(min) : 0.0)) / gw_json_number(step);
    return fabs(steps - round(steps)) <= 1e-9 * fmax(1.0, fabs(steps));
}

static int fits_number(const struct gw_json *declaration, const struct gw_json *value, struct gw_error *err)
{
    const struct gw_json *min = gw_json_get(declaration, "min"), *max = gw_json_get(declaration, "max");
    double number = gw_json_number(value);
    if (min && number < gw_json_number(min))
        return gw_error_set(err, GW_EINVAL, "out_of_range", "must be at least %.15g, given %.15g", gw_json_number(min), number);
    if (max && number > gw_json_number(max))
        return gw_error_set(err, GW_EINVAL, "out_of_range", "must be at most %.15g, given %.15g", gw_json_number(max), number);
    if (!is_on_step(declaration, number))
        return gw_error_set(err, GW_EINVAL, "bad_step", "must lie on a step of %.15g, given %.15g",
                            gw_json_number(gw_json_get(declaration, "step")), number);
    return GW_OK;
}

static int fits_enum(const struct gw_json *declaration, const struct gw_json *value, struct gw_error *err)
{
    const struct gw_json *values = gw_json_get(declaration, "values");
    if (!gw_json_is_string(value))
        return wrong_type(err, "one of the declared values", value);
    for (size_t i = 0; i < gw_json_count(values); i++)
        if (gw_json_equal(gw_json_at(values, i), value))
            return GW_OK;
    return gw_error_set(err, GW_EINVAL, "not_in_enum", "must be one of the declared values, given \"%s\"", gw_json_text(value, NULL));
}

static int fits_string(const struct gw_json *declaration, const struct gw_json *value, struct gw_error *err)
{
    const struct gw_json *max_length = gw_json_get(declaration, "max_length");
    if (!gw_json_is_string(value))
        return wrong_type(err, "a string", value);
    size_t length;
    const char *text = gw_json_text(value, &length);
    ptrdiff_t count = max_length ? gw_utf8_count(text, length, NULL) : 0;
    if (!max_length || count <= gw_json_int(max_length))
        return GW_OK;
    return gw_error_set(err, GW_EINVAL, "too_long", "may hold %lld code points, given %td", (long long)gw_json_int(max_length), count);
}

static int fits_colour(const struct gw_json *value, struct gw_error *err)
{
    if (!gw_json_is_string(value))
        return wrong_type(err, "a colour", value);
    size_t length;
    const char *text = gw_json_text(value, &length);
    if (text[0] == '#' && (length == 7 || length == 9) && strspn(text + 1, "0123456789abcdefABCDEF") == length - 1)
        return GW_OK;
    return gw_error_set(err, GW_EINVAL, "bad_colour", "must be #rrggbb or #rrggbbaa, given \"%s\"", text);
}

static int fits_sidecar(const struct gw_json *value, struct gw_error *err)
{
    if (!gw_json_is_object(value))
        return wrong_type(err, "a reference {artifact_id}", value);
    const struct gw_json *artifact = gw_json_get(value, "artifact_id");
    size_t length = 0;
    const char *text = gw_json_is_string(artifact) ? gw_json_text(artifact, &length) : "";
    if (gw_json_count(value) == 1 && gw_id_is_valid(text, length))
        return GW_OK;
    gw_error_set(err, GW_EINVAL, "wrong_type", "must be {artifact_id}, an id and nothing else");
    return err->code;
}

bool gw_value_type_is_sidecar(const struct gw_json *declaration) { return type_of(declaration) == SIDECAR; }

int gw_value_fits(const struct gw_json *declaration, const struct gw_json *value, struct gw_error *err)
{
    const struct gw_json *schema = gw_json_get(declaration, "schema");
    switch (type_of(declaration)) {
    case BOOLEAN:
        return gw_json_is_bool(value) ? GW_OK : wrong_type(err, "a boolean", value);
    case INTEGER:
        return is_whole(value) ? fits_number(declaration, value, err) : wrong_type(err, "an integer", value);
    case NUMBER:
        return gw_json_is_number(value) ? fits_number(declaration, value, err) : wrong_type(err, "a number", value);
    case ENUM:
        return fits_enum(declaration, value, err);
    case STRING:
        return fits_string(declaration, value, err);
    case COLOUR:
        return fits_colour(value, err);
    case JSON:
        return schema ? gw_value_schema_fits(schema, value, err) : GW_OK;
    case SIDECAR:
        return fits_sidecar(value, err);
    default:
        return gw_error_set(err, GW_EINVAL, "unknown_type", "its declaration has an unknown type");
    }
}

bool gw_value_type_has_sidecar(const struct gw_json *declarations)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *declaration;
    while (gw_json_is_object(declarations) && gw_json_next(declarations, &iterator, &name, &declaration))
        if (gw_value_type_is_sidecar(declaration))
            return true;
    return false;
}

/* ---- the declaration itself -------------------------------------------------------------------------------------------------------------
 */

static int check_member_name(const char *key, enum type type, bool is_property, struct gw_error *err)
{
    if (strcmp(key, "type") == 0 || strcmp(key, "default") == 0 || strcmp(key, "label") == 0)
        return GW_OK;
    if (is_property && strcmp(key, "required") == 0)
        return GW_OK;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (strcmp(key, members[i].name) == 0 && members[i].types & 1u << type)
            return GW_OK;
    return refuse_at(err, "unknown_member", key, "is no member of a declaration of this type");
}

static int check_member_names(const struct gw_json *declaration, enum type type, bool is_property, struct gw_error *err)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    int status = GW_OK;
    while (!status && gw_json_next(declaration, &iterator, &key, &value))
        status = check_member_name(key, type, is_property, err);
    return status;
}

static int check_range(const struct gw_json *declaration, enum type type, struct gw_error *err)
{
    static const char *const names[] = {"min", "max", "step"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct gw_json *value = gw_json_get(declaration, names[i]);
        if (value && !(type == INTEGER ? is_whole(value) : gw_json_is_number(value)))
            return refuse_at(err, "wrong_type", names[i], "must be a number of the declared type");
    }
    const struct gw_json *min = gw_json_get(declaration, "min"), *max = gw_json_get(declaration, "max"),
                         *step = gw_json_get(declaration, "step");
    if (min && max && gw_json_number(min) > gw_json_number(max))
        return refuse_at(err, "out_of_range", "max", "is below min");
    if (step && gw_json_number(step) <= 0)
        return refuse_at(err, "out_of_range", "step", "must be above 0");
    return GW_OK;
}

static int check_values(const struct gw_json *declaration, struct gw_error *err)
{
    const struct gw_json *values = gw_json_get(declaration, "values");
    size_t count = gw_json_count(values);
    if (!values)
        return refuse_at(err, "missing_member", "values", "is required of an enum");
    if (!gw_json_is_array(values) || count == 0 || count > ENUM_VALUES_MAX)
        return refuse_at(err, "wrong_type", "values", "must be a list of 1 to 256 strings");
    for (size_t i = 0; i < count; i++) {
        if (!gw_json_is_string(gw_json_at(values, i)))
            return refuse_at(err, "wrong_type", "values", "must be a list of 1 to 256 strings");
        for (size_t j = 0; j < i; j++)
            if (gw_json_equal(gw_json_at(values, i), gw_json_at(values, j)))
                return refuse_at(err, "wrong_type", "values", "must be different strings");
    }
    return GW_OK;
}

static int check_max_length(const struct gw_json *declaration, struct gw_error *err)
{
    const struct gw_json *value = gw_json_get(declaration, "max_length");
    if (!value || (gw_json_is_int(value) && gw_json_int(value) >= 1))
        return GW_OK;
    return refuse_at(err, "wrong_type", "max_length", "must be an integer of at least 1");
}

static int check_schema(const struct gw_json *declaration, struct gw_error *err)
{
    const struct gw_json *schema = gw_json_get(declaration, "schema");
    int status = schema ? gw_value_schema_check(schema, err) : GW_OK;
    if (status)
        gw_pointer_prefix(err, "schema");
    return status;
}

static int check_common(const struct gw_json *declaration, struct gw_error *err)
{
    const struct gw_json *label = gw_json_get(declaration, "label"), *required = gw_json_get(declaration, "required");
    if (required && !gw_json_is_bool(required))
        return refuse_at(err, "wrong_type", "required", "must be a boolean");
    if (!label)
        return GW_OK;
    size_t length = 0;
    const char *text = gw_json_is_string(label) ? gw_json_text(label, &length) : NULL;
    if (!text)
        return refuse_at(err, "wrong_type", "label", "must be a string");
    return gw_utf8_count(text, length, NULL) <= LABEL_MAX ? GW_OK : refuse_at(err, "out_of_range", "label", "may hold 200 code points");
}

static int check_by_type(const struct gw_json *declaration, enum type type, struct gw_error *err)
{
    switch (type) {
    case INTEGER:
    case NUMBER:
        return check_range(declaration, type, err);
    case ENUM:
        return check_values(declaration, err);
    case STRING:
        return check_max_length(declaration, err);
    case JSON:
        return check_schema(declaration, err);
    default:
        return GW_OK;
    }
}

static int check_default(const struct gw_json *declaration, struct gw_error *err)
{
    const struct gw_json *value = gw_json_get(declaration, "default");
    struct gw_error inner = {0};
    if (!value || !gw_value_fits(declaration, value, &inner))
        return GW_OK;
    gw_error_set(err, GW_EINVAL, "bad_default", "the default %s", inner.message);
    gw_error_prefix(err, inner.path);
    gw_pointer_prefix(err, "default");
    return GW_EINVAL;
}

int gw_value_type_check(const struct gw_json *declaration, bool is_property, struct gw_error *err)
{
    if (!gw_json_is_object(declaration))
        return gw_error_set(err, GW_EINVAL, "wrong_type", "a declaration is an object");
    if (!gw_json_get(declaration, "type"))
        return refuse_at(err, "missing_member", "type", "is required");
    enum type type = type_of(declaration);
    if (type == TYPE_COUNT)
        return refuse_at(err, "unknown_type", "type", "must be boolean, integer, number, enum, string, colour, json or sidecar");
    int status = check_member_names(declaration, type, is_property, err);
    if (!status)
        status = check_by_type(declaration, type, err);
    if (!status)
        status = check_common(declaration, err);
    return status ? status : check_default(declaration, err);
}
