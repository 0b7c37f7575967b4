/* builtin_policy.h — the policy port without scripts: six role names and two kinds of plan, the full view and a Token allowlist. Default deny: an unknown
 * role gets nothing. Plans are shared by equal subjects. One per worker; one thread. */
#ifndef GW_HUB_BUILTIN_POLICY_H
#define GW_HUB_BUILTIN_POLICY_H

#include <stdint.h>

#include "hub/ports.h"

struct gw_builtin_policy;

struct gw_builtin_policy *gw_builtin_policy_create(const uint8_t seed[16]);
void gw_builtin_policy_destroy(struct gw_builtin_policy *policy);
/* The port; lives as long as the policy. */
const struct gw_policy *gw_builtin_policy_port(const struct gw_builtin_policy *policy);

#endif
