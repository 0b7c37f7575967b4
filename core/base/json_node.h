/* json_node.h — constructors without checks, for json_parse.c, whose input json_scan.c has already checked. Ownership and failure are those
 * of their checked twins in json.h. Not for anybody else: what they are given must be valid. */
#ifndef GW_BASE_JSON_NODE_H
#define GW_BASE_JSON_NODE_H

#include <stddef.h>

#include "base/json.h"

struct gw_json *gw_json_node_text(const char *text, size_t length);
/* Takes the reference in every case. GW_ECONFLICT when the key is there, GW_ENOMEM when memory is gone or `value` is NULL. */
int gw_json_node_add(struct gw_json *object, const char *key, size_t length, struct gw_json *value /* taken */);

#endif
