#include "hub/value_schema.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/pointer.h"
#include "hub/value_type.h"

static const char *const type_names[] = {"object", "array", "string", "integer", "number", "boolean", "null"};
#define TYPE_COUNT (sizeof type_names / sizeof type_names[0])

static int refuse_at(struct gw_error *err, const char *id, const char *key, const char *why)
{
    gw_error_set(err, GW_EINVAL, id, "%s %s", key, why);
    gw_pointer_prefix(err, key);
    return GW_EINVAL;
}

/* A number without a fraction is an integer however it was written (JSON Schema core, section 4.2.3). */
static bool is_whole(const struct gw_json *value)
{
    if (gw_json_is_int(value))
        return true;
    if (!gw_json_is_number(value))
        return false;
    double number = gw_json_number(value);
    return number >= -9007199254740991.0 && number <= 9007199254740991.0 && number == (double)(int64_t)number;
}

static bool has_type(const struct gw_json *value, const char *type)
{
    switch (type[0]) {
    case 'o':
        return gw_json_is_object(value);
    case 'a':
        return gw_json_is_array(value);
    case 's':
        return gw_json_is_string(value);
    case 'i':
        return is_whole(value);
    case 'b':
        return gw_json_is_bool(value);
    default:
        return strcmp(type, "number") == 0 ? gw_json_is_number(value) : gw_json_is_null(value);
    }
}

/* ---- the schema itself ----------------------------------------------------------------------------------------------------------------
 */

static int check_level(const struct gw_json *schema, unsigned depth, struct gw_error *err);

static int check_type(const struct gw_json *value, struct gw_error *err)
{
    if (!gw_json_is_string(value))
        return gw_error_set(err, GW_EINVAL, "wrong_type", "type must be the name of one type");
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (strcmp(gw_json_text(value, NULL), type_names[i]) == 0)
            return GW_OK;
    return gw_error_set(err, GW_EINVAL, "unknown_type", "type must be object, array, string, integer, number, boolean or null");
}

static int check_enum(const struct gw_json *value, struct gw_error *err)
{
    if (!gw_json_is_array(value) || gw_json_count(value) == 0)
        return gw_error_set(err, GW_EINVAL, "wrong_type", "enum must be a list of scalars");
    for (size_t i = 0; i < gw_json_count(value); i++)
        if (gw_json_is_object(gw_json_at(value, i)) || gw_json_is_array(gw_json_at(value, i)))
            return gw_error_set(err, GW_EINVAL, "wrong_type", "enum must be a list of scalars");
    return GW_OK;
}

static int check_count(const struct gw_json *value, struct gw_error *err)
{
    if (gw_json_is_int(value) && gw_json_int(value) >= 0)
        return GW_OK;
    return gw_error_set(err, GW_EINVAL, "wrong_type", "must be a whole number of at least 0");
}

static int check_names(const struct gw_json *value, struct gw_error *err)
{
    bool is_list = gw_json_is_array(value);
    for (size_t i = 0; is_list && i < gw_json_count(value); i++)
        is_list = gw_json_is_string(gw_json_at(value, i));
    return is_list ? GW_OK : gw_error_set(err, GW_EINVAL, "wrong_type", "required must be a list of names");
}

static int check_properties(const struct gw_json *value, unsigned depth, struct gw_error *err)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *member;
    if (!gw_json_is_object(value))
        return gw_error_set(err, GW_EINVAL, "wrong_type", "properties must be an object of schemas");
    while (gw_json_next(value, &iterator, &key, &member)) {
        int status = check_level(member, depth + 1, err);
        if (status) {
            gw_pointer_prefix(err, key);
            return status;
        }
    }
    return GW_OK;
}

static int check_keyword(const char *key, const struct gw_json *value, unsigned depth, struct gw_error *err)
{
    if (strcmp(key, "type") == 0)
        return check_type(value, err);
    if (strcmp(key, "enum") == 0)
        return check_enum(value, err);
    if (strcmp(key, "minimum") == 0 || strcmp(key, "maximum") == 0)
        return gw_json_is_number(value) ? GW_OK : gw_error_set(err, GW_EINVAL, "wrong_type", "%s must be a number", key);
    if (strcmp(key, "maxLength") == 0 || strcmp(key, "maxItems") == 0)
        return check_count(value, err);
    if (strcmp(key, "items") == 0)
        return check_level(value, depth + 1, err);
    if (strcmp(key, "properties") == 0)
        return check_properties(value, depth, err);
    if (strcmp(key, "required") == 0)
        return check_names(value, err);
    if (strcmp(key, "additionalProperties") == 0)
        return gw_json_is_bool(value) ? GW_OK : gw_error_set(err, GW_EINVAL, "wrong_type", "additionalProperties must be a boolean");
    return gw_error_set(err, GW_EINVAL, "unknown_member", "%s is no keyword of this schema subset", key);
}

static int check_level(const struct gw_json *schema, unsigned depth, struct gw_error *err)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    if (depth >= GW_VALUE_SCHEMA_DEPTH)
        return gw_error_set(err, GW_EINVAL, "too_deep", "a schema may have %d levels", GW_VALUE_SCHEMA_DEPTH);
    if (!gw_json_is_object(schema))
        return gw_error_set(err, GW_EINVAL, "wrong_type", "a schema is an object");
    while (gw_json_next(schema, &iterator, &key, &value)) {
        int status = check_keyword(key, value, depth, err);
        if (status) {
            gw_pointer_prefix(err, key);
            return status;
        }
    }
    return GW_OK;
}

int gw_value_schema_check(const struct gw_json *schema, struct gw_error *err) { return check_level(schema, 0, err); }

/* ---- a value ----------------------------------------------------------------------------------------------------------------------------
 */

static int fits_scalar(const struct gw_json *schema, const struct gw_json *value, struct gw_error *err)
{
    const struct gw_json *minimum = gw_json_get(schema, "minimum"), *maximum = gw_json_get(schema, "maximum");
    if (gw_json_is_number(value)) {
        double number = gw_json_number(value);
        if ((minimum && number < gw_json_number(minimum)) || (maximum && number > gw_json_number(maximum)))
            return gw_error_set(err, GW_EINVAL, "out_of_range", "%g is out of range", number);
    }
    const struct gw_json *max_length = gw_json_get(schema, "maxLength");
    if (!max_length || !gw_json_is_string(value))
        return GW_OK;
    size_t length;
    const char *text = gw_json_text(value, &length);
    if (gw_utf8_count(text, length, NULL) <= gw_json_int(max_length))
        return GW_OK;
    return gw_error_set(err, GW_EINVAL, "too_long", "may hold %lld code points", (long long)gw_json_int(max_length));
}

static int fits_enum(const struct gw_json *schema, const struct gw_json *value, struct gw_error *err)
{
    const struct gw_json *list = gw_json_get(schema, "enum");
    for (size_t i = 0; i < gw_json_count(list); i++)
        if (gw_json_equal(gw_json_at(list, i), value))
            return GW_OK;
    return list ? gw_error_set(err, GW_EINVAL, "not_in_enum", "is none of the values of its enum") : GW_OK;
}

static int fits_items(const struct gw_json *schema, const struct gw_json *value, struct gw_error *err)
{
    const struct gw_json *items = gw_json_get(schema, "items"), *max_items = gw_json_get(schema, "maxItems");
    size_t count = gw_json_count(value);
    if (max_items && (int64_t)count > gw_json_int(max_items))
        return gw_error_set(err, GW_EINVAL, "too_long", "may hold %lld items", (long long)gw_json_int(max_items));
    for (size_t i = 0; items && i < count; i++) {
        int status = gw_value_schema_fits(items, gw_json_at(value, i), err);
        if (status) {
            gw_pointer_prefix_index(err, i);
            return status;
        }
    }
    return GW_OK;
}

static int fits_required(const struct gw_json *schema, const struct gw_json *value, struct gw_error *err)
{
    const struct gw_json *required = gw_json_get(schema, "required");
    for (size_t i = 0; i < gw_json_count(required); i++) {
        const char *name = gw_json_text(gw_json_at(required, i), NULL);
        if (!gw_json_get(value, name))
            return refuse_at(err, "missing_member", name, "is required");
    }
    return GW_OK;
}

static int fits_properties(const struct gw_json *schema, const struct gw_json *value, struct gw_error *err)
{
    const struct gw_json *properties = gw_json_get(schema, "properties"), *additional = gw_json_get(schema, "additionalProperties");
    bool is_open = !additional || gw_json_bool(additional);
    void *iterator = NULL;
    const char *key;
    struct gw_json *member;
    while (gw_json_next(value, &iterator, &key, &member)) {
        const struct gw_json *inner = properties ? gw_json_get(properties, key) : NULL;
        if (!inner && !is_open)
            return refuse_at(err, "unknown_member", key, "is not declared");
        int status = inner ? gw_value_schema_fits(inner, member, err) : GW_OK;
        if (status) {
            gw_pointer_prefix(err, key);
            return status;
        }
    }
    return fits_required(schema, value, err);
}

/* Recurses at most GW_VALUE_SCHEMA_DEPTH levels: as deep as the schema. */
int gw_value_schema_fits(const struct gw_json *schema, const struct gw_json *value, struct gw_error *err)
{
    const struct gw_json *type = gw_json_get(schema, "type");
    if (type && !has_type(value, gw_json_text(type, NULL)))
        return gw_error_set(err, GW_EINVAL, "wrong_type", "must be of type %s", gw_json_text(type, NULL));
    int status = fits_enum(schema, value, err);
    if (status)
        return status;
    if (gw_json_is_object(value))
        return fits_properties(schema, value, err);
    return gw_json_is_array(value) ? fits_items(schema, value, err) : fits_scalar(schema, value, err);
}
