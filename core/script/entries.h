/* entries.h — what a sandbox loads before its first call: the modules that the core may call, and all that these name, in whatever place of their texts, since a
 * `require` within a function must find what it would have loaded. A name that is put together as the script runs is not found. Pure; any thread. */
#ifndef GW_SCRIPT_ENTRIES_H
#define GW_SCRIPT_ENTRIES_H

#include <stdbool.h>

struct gw_sources;

/* wanted[i] becomes true for each source i that is to be loaded; it has room for all, which are false. */
void gw_entries_find(const struct gw_sources *sources, bool (*is_entry)(const char *module), bool *wanted);

#endif
