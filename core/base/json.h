/* json.h — JSON trees. json.c alone knows jansson; everybody else holds `struct gw_json *`, a reference-counted value.
 * Parsing checks everything a peer can choose *before* the parser allocates: size, depth, node count, grammar, UTF-8, numbers (I-JSON, RFC
 * 7493 section 2.2: integers within ±(2^53-1), else finite doubles); duplicate keys and NUL in strings are refused too. Canonical text:
 * keys sorted by UTF-8 bytes, shortest ECMAScript numbers, minimal escapes (RFC 8785 but for the key order). One thread at a time per
 * value; of one that is not changed any more, any thread may read, take and drop references. What is written reads back as an equal
 * tree: an integral number is GW_JSON_INT however it was spelled ("1.0"), from 1e21 on
 * GW_JSON_REAL, and in between, where ECMAScript's text would be an integer that I-JSON does not admit, it is refused (1e20). */
#ifndef GW_BASE_JSON_H
#define GW_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_json;
struct gw_buffer;
struct gw_error;

#define GW_JSON_MAX_INT INT64_C(9007199254740991) /* 2^53-1 */

enum gw_json_type { GW_JSON_NULL, GW_JSON_BOOL, GW_JSON_INT, GW_JSON_REAL, GW_JSON_STRING, GW_JSON_ARRAY, GW_JSON_OBJECT };

/* value */
struct gw_json_limits {
    size_t max_bytes;
    const char *bytes_name; /* what max_bytes is called in errors; NULL: "max_bytes" */
    unsigned max_depth;     /* 32 for requests; also how deep the parser recurses */
    unsigned max_nodes;     /* 16384 for requests */
};

/* Parses one whole document. Errors (err->id): json_malformed, json_too_large, json_too_deep, json_too_many_nodes, json_bad_utf8,
 * json_bad_number, json_duplicate_key; err->path is "byte N" or the pointer of the value. */
int gw_json_parse(const char *text, size_t length, const struct gw_json_limits *limits, struct gw_json **out, struct gw_error *err);

struct gw_json *gw_json_ref(struct gw_json *value);
void gw_json_unref(struct gw_json *value); /* NULL is fine */

enum gw_json_type gw_json_type(const struct gw_json *value);
bool gw_json_is_string(const struct gw_json *value); /* NULL answers false, here and below */
bool gw_json_is_object(const struct gw_json *value);
bool gw_json_is_array(const struct gw_json *value);
bool gw_json_is_int(const struct gw_json *value);
bool gw_json_is_number(const struct gw_json *value); /* int or real */
bool gw_json_is_bool(const struct gw_json *value);
bool gw_json_is_null(const struct gw_json *value);

/* Getters assert the type. Text is NUL-terminated and holds no other NUL; `length` may be NULL. */
const char *gw_json_text(const struct gw_json *value, size_t *length);
int64_t gw_json_int(const struct gw_json *value);
double gw_json_number(const struct gw_json *value);
bool gw_json_bool(const struct gw_json *value);
size_t gw_json_count(const struct gw_json *container);                      /* 0 for NULL and scalars */
struct gw_json *gw_json_at(const struct gw_json *array, size_t index);      /* borrowed, or NULL */
struct gw_json *gw_json_get(const struct gw_json *object, const char *key); /* borrowed, or NULL */
struct gw_json *gw_json_getn(const struct gw_json *object, const char *key, size_t length);
/* Iterates an object in insertion order; start with *iterator = NULL, ends with false. */
bool gw_json_next(const struct gw_json *object, void **iterator, const char **key, struct gw_json **value);

/* Constructors return NULL when memory is gone, and for what gw_json_parse would refuse: an integer beyond ±GW_JSON_MAX_INT, a number that
 * is not I-JSON, text that is not UTF-8 or holds a NUL. new_real of an integral value makes a GW_JSON_INT. */
struct gw_json *gw_json_new_null(void);
struct gw_json *gw_json_new_bool(bool value);
struct gw_json *gw_json_new_int(int64_t value);
struct gw_json *gw_json_new_real(double value);
struct gw_json *gw_json_new_text(const char *text, size_t length);
struct gw_json *gw_json_new_array(void);
struct gw_json *gw_json_new_object(void);
/* Take the reference in every case; GW_ENOMEM also when `value` is NULL, so calls can be nested unchecked. */
int gw_json_set(struct gw_json *object, const char *key, struct gw_json *value /* taken */);
int gw_json_setn(struct gw_json *object, const char *key, size_t length, struct gw_json *value /* taken */);
int gw_json_append(struct gw_json *array, struct gw_json *value /* taken */);
void gw_json_remove(struct gw_json *object, const char *key);
struct gw_json *gw_json_copy_deep(const struct gw_json *value);       /* NULL when memory is gone */
bool gw_json_equal(const struct gw_json *a, const struct gw_json *b); /* 1 equals 1.0 */

/* Appends compact text: insertion order, or canonical. Failure shows as out->has_failed. */
void gw_json_write(const struct gw_json *value, struct gw_buffer *out);
void gw_json_write_canonical(const struct gw_json *value, struct gw_buffer *out);
/* Bytes of its canonical text; -1: no memory. */
ptrdiff_t gw_json_canonical_length(const struct gw_json *value);
/* Shortest decimal form that reads back equal, as ECMA-262 Number::toString prints it. `value` is finite (asserted). */
void gw_json_write_number(double value, struct gw_buffer *out);

/* Strict UTF-8 (no surrogates, no overlongs, at most U+10FFFF). The number of code points, or -1; *bad_at gets the offending byte's offset.
 */
ptrdiff_t gw_utf8_count(const char *text, size_t length, size_t *bad_at);
/* Byte offset of code point `index` of valid UTF-8; `length` when index is at or past the end. */
size_t gw_utf8_offset(const char *text, size_t length, size_t index);

#endif
