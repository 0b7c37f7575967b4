/* admin_call.h — one request to the admin listener of a running gateway, for the tools that operate it. Blocking, at most some seconds; plain HTTP. */
#ifndef GW_APP_ADMIN_CALL_H
#define GW_APP_ADMIN_CALL_H

struct gw_error;
struct gw_json;

/* value */
struct gw_admin_call {
    const char *base;           /* "http://127.0.0.1:8081"; NULL: ATOMS_ADMIN_LISTEN of the environment, else that */
    const char *method;         /* "GET", "POST" */
    const char *path;           /* "/admin/policies" */
    const struct gw_json *body; /* NULL: none */
};

/* The answer's JSON, one new reference. ATOMS_ADMIN_TOKEN of the environment is its bearer. GW_EIO admin_unreachable, admin_malformed; else what the gateway
 * refused with: its code, path and text, as GW_EINVAL. */
int gw_admin_request(const struct gw_admin_call *call, struct gw_json **out, struct gw_error *err);

#endif
