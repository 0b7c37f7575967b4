/* identity.h — who a bearer is and what it covers. An identity is immutable and reference-counted and may cross threads. It is made from
 * verified claims only (identity/verifier.h); what the actor may see and write is policy, not identity. */
#ifndef GW_IDENTITY_IDENTITY_H
#define GW_IDENTITY_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/refs.h"
#include "hub/event.h"

struct gw_error;
struct gw_json;

/* value, inside an identity: a list claim. Absent covers all; present and empty covers nothing. */
struct gw_id_list {
    bool is_present;
    size_t count;
    char **items;
};

struct gw_identity {
    struct gw_refs refs;
    struct gw_actor actor; /* id from `sub`, kind from app_metadata.kind */
    char tenant_id[GW_ID_MAX + 1];
    char role[GW_ID_MAX + 1];
    struct gw_id_list modes; /* never absent: an absent claim reads as ["dev"] */
    struct gw_id_list projects;
    struct gw_id_list surfaces;
    struct gw_id_list apps;
    struct gw_id_list token_globs; /* Token keys that this bearer is narrowed to; absent = not narrowed */
    int64_t expires_at_ms;         /* the bearer's exp, wall clock */
};

/* Reads verified claims: sub, exp, app_metadata.{tenant_id, role, kind, modes, projects, surfaces, apps, tokens}; an absent kind is "user",
 * the one that may do least. Nothing is ever read from user_metadata. GW_EAUTH with id bearer_claims and err->path at the claim that is
 * missing or malformed; GW_ENOMEM. */
int gw_identity_from_claims(const struct gw_json *claims, struct gw_identity **out, struct gw_error *err);
struct gw_identity *gw_identity_ref(struct gw_identity *identity);
void gw_identity_unref(struct gw_identity *identity); /* NULL is fine */

/* 0 when the bearer covers the scope's tenant, mode, project, surface and app; else GW_EDENIED with id not_covered and one message for all
 * cases, so that nothing shows whether the scope exists. An id that the scope lacks is covered only where the bearer does not narrow:
 * whether it is required is judged before. */
int gw_identity_covers(const struct gw_identity *identity, const struct gw_scope *scope, struct gw_error *err);
/* True when a bearer of `other` may carry on a stream of `identity`: same actor and tenant. */
bool gw_identity_is_same_actor(const struct gw_identity *identity, const struct gw_identity *other);

#endif
