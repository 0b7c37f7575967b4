/* id.h — scope ids and their one encoder. An id matches [A-Za-z0-9_-][A-Za-z0-9._-]{0,63}; an actor id may also hold ':' and '@'.
 * A run key is tenant/mode/project/run: '/' is in no id's alphabet, so the join is unambiguous. Values; any thread. */
#ifndef GW_BASE_ID_H
#define GW_BASE_ID_H

#include <stdbool.h>
#include <stddef.h>

#define GW_ID_MAX      64
#define GW_RUN_KEY_MAX (4 * GW_ID_MAX + 3)

bool gw_id_is_valid(const char *text, size_t length);
bool gw_id_is_valid_actor(const char *text, size_t length);

/* value: the scope of a connection or command; an empty string means absent */
struct gw_scope {
    char tenant_id[GW_ID_MAX + 1];
    char mode[GW_ID_MAX + 1];
    char project_id[GW_ID_MAX + 1];
    char surface_id[GW_ID_MAX + 1];
    char app_id[GW_ID_MAX + 1];
    char run_id[GW_ID_MAX + 1];
};

/* value: the storage name of a run, NUL-terminated */
struct gw_run_key {
    char text[GW_RUN_KEY_MAX + 1];
};

/* Joins tenant, mode, project and run; all four must be present and valid (asserted). */
void gw_run_key_encode(const struct gw_scope *scope, struct gw_run_key *out);

#endif
