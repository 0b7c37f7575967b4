/* value_type.h — the type of one Token or block property, as a JSON declaration, and the check of a value against it. Declarations stay
 * JSON because they travel inside events and the fold must judge by what was mounted. Owns nothing; pure; any thread.
 *
 * A declaration is an object:
 *   type        "boolean" | "integer" | "number" | "enum" | "string" | "colour" | "json" | "sidecar"
 *   default     a value of the type
 *   label       text for people, at most 200 code points
 *   min, max    integer, number: inclusive bounds
 *   step        number, integer: the value is min (else 0) plus a multiple of step
 *   values      enum: 1 to 256 different strings
 *   max_length  string: code points
 *   schema      json: see below; absent = any JSON value
 *   required    properties only: must stand in every block of the kind
 * A colour is "#rrggbb" or "#rrggbbaa". A sidecar is {artifact_id}: a reference to stored media. A schema is a closed subset of JSON Schema: type (one name), enum (scalars), minimum, maximum,
 * maxLength, items, maxItems, properties, required, additionalProperties (boolean); at most GW_VALUE_SCHEMA_DEPTH levels. */
#ifndef GW_HUB_VALUE_TYPE_H
#define GW_HUB_VALUE_TYPE_H

#include <stdbool.h>

struct gw_error;
struct gw_json;

#define GW_VALUE_SCHEMA_DEPTH 8

/* Is `declaration` well-formed, and does its default fit? `is_property` admits `required`. GW_EINVAL with err->path inside the declaration;
 * ids: missing_member, unknown_member, wrong_type, out_of_range, unknown_type, bad_default. */
int gw_value_type_check(const struct gw_json *declaration, bool is_property, struct gw_error *err);

/* Is it the type of references to media, which a lens without vision does not know of? */
bool gw_value_type_is_sidecar(const struct gw_json *declaration);
/* Is one of these declarations, by name, of a sidecar? No for NULL and for what is no object. */
bool gw_value_type_has_sidecar(const struct gw_json *declarations);

/* Does `value` fit the checked `declaration`? GW_EINVAL with err->path inside the value ("" = the value itself) and a message that names
 * the rule and what was given; ids: wrong_type, out_of_range, bad_step, not_in_enum, too_long, bad_colour, missing_member, unknown_member.
 */
int gw_value_fits(const struct gw_json *declaration, const struct gw_json *value, struct gw_error *err);

#endif
