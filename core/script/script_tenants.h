/* script_tenants.h — which tenants have a folder of their own policies. Blocking. */
#ifndef GW_SCRIPT_SCRIPT_TENANTS_H
#define GW_SCRIPT_SCRIPT_TENANTS_H

#include <stddef.h>

#define GW_SCRIPT_TENANTS_MAX 100000

/* Names of the folders below policies_dir/tenants, in byte order; freed by gw_script_tenants_free. */
size_t gw_script_tenants(const char *policies_dir, char ***out);
void gw_script_tenants_free(char **tenants, size_t count);

#endif
