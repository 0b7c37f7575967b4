/* script_tenants.h — which tenants have policies of their own. Blocking. */
#ifndef GW_SCRIPT_SCRIPT_TENANTS_H
#define GW_SCRIPT_SCRIPT_TENANTS_H

#include <stddef.h>

struct gw_overlays;

#define GW_SCRIPT_TENANTS_MAX 100000

/* Those with a folder below policies_dir/tenants and those that the registry (NULL: none) has a version of, each once, in byte order; freed by
 * gw_script_tenants_free. What cannot be read adds none: who then reads the overlay is told why. */
size_t gw_script_tenants(const char *policies_dir, const struct gw_overlays *overlays, char ***out);
void gw_script_tenants_free(char **tenants, size_t count);

#endif
