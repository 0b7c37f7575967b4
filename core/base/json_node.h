/* json_node.h — what a JSON value is in memory, and constructors without checks. For json.c, json_object.c and json_parse.c alone: what the latter is given,
 * json_scan.c has already checked. Ownership and failure are those of the checked twins in json.h. */
#ifndef GW_BASE_JSON_NODE_H
#define GW_BASE_JSON_NODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/refs.h"

/* The head of every value; null, true and false are three that are never counted nor freed. */
struct gw_json {
    struct gw_refs refs;
    enum gw_json_type type;
};

/* Keys shorter than this lie in the member itself. */
#define GW_JSON_NEAR_KEY_BYTES 24

struct gw_json_member {
    struct gw_json *value; /* NULL: a hole that a removed one left */
    union {
        char near[GW_JSON_NEAR_KEY_BYTES];
        char *far;
    } key;
    uint32_t key_length;
    uint32_t hash; /* set once the object has an index */
};

/* In the order in which they were added. From a size on an index finds them. */
struct gw_json_object {
    struct gw_json head;
    struct gw_json_member *members;
    struct gw_json_index *index;    /* NULL: the members are few */
    uint32_t used, holes, capacity; /* members: with holes, holes alone, with room */
};

/* json_object.c; `object` is one */
struct gw_json_member *gw_json_object_find(const struct gw_json_object *object, const char *key, size_t length);
const char *gw_json_member_key(const struct gw_json_member *member);
/* Adds a member of a new key. GW_ENOMEM: nothing changed. */
int gw_json_object_add(struct gw_json_object *object, const char *key, size_t length, struct gw_json *value /* taken on success */);
void gw_json_object_drop(struct gw_json_object *object, struct gw_json_member *member);
/* Releases the members; the object is for the caller to free. */
void gw_json_object_fini(struct gw_json_object *object);

struct gw_json *gw_json_node_text(const char *text, size_t length);
/* Takes the reference in every case. GW_ECONFLICT when the key is there, GW_ENOMEM when memory is gone or `value` is NULL. */
int gw_json_node_add(struct gw_json *object, const char *key, size_t length, struct gw_json *value /* taken */);

#endif
