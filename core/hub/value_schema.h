/* value_schema.h — the closed subset of JSON Schema (2020-12) that types the values of `json` declarations; value_type.h lists the
 * keywords. Owns nothing; pure; any thread. Failures say where: err->path is a JSON pointer. Not a general validator: no $ref, no
 * combinators. */
#ifndef GW_HUB_VALUE_SCHEMA_H
#define GW_HUB_VALUE_SCHEMA_H

struct gw_error;
struct gw_json;

/* Is `schema` itself well-formed? err->path inside the schema; ids: wrong_type, unknown_member, unknown_type, too_deep. */
int gw_value_schema_check(const struct gw_json *schema, struct gw_error *err);
/* Does `value` fit the checked `schema`? err->path inside the value; ids: wrong_type, not_in_enum, out_of_range, too_long, missing_member,
 * unknown_member. */
int gw_value_schema_fits(const struct gw_json *schema, const struct gw_json *value, struct gw_error *err);

#endif
