/* tokens.h — the Tokens of one run: the catalogue of declarations and the values that are set. Both are JSON objects by key. Lives inside a run's state, on
 * the run's owner. Judging (gw_tokens_check…) and changing (gw_tokens_put…) are apart, so that a fold never refuses what was resolved. A failed
 * change (GW_ENOMEM) leaves the old value. */
#ifndef GW_HUB_TOKENS_H
#define GW_HUB_TOKENS_H

#include <stddef.h>

struct gw_error;
struct gw_json;
struct gw_plan;

/* value; read freely */
struct gw_tokens {
    struct gw_json *catalog; /* key → declaration (value_type.h) */
    struct gw_json *values;  /* key → value; a key may be declared and not set */
};

int gw_tokens_init(struct gw_tokens *tokens);
void gw_tokens_fini(struct gw_tokens *tokens);

/* May `value` be set under `key` by an author whose lens is `plan`? An undeclared key and one that the lens hides get the same answer: unknown_token.
 * err->path is the pointer inside the value; ids as gw_value_fits, and limit_token_bytes. */
int gw_tokens_check(const struct gw_tokens *tokens, const struct gw_plan *plan, const char *key, const struct gw_json *value, size_t max_bytes,
                    struct gw_error *err);
int gw_tokens_check_key(const struct gw_tokens *tokens, const struct gw_plan *plan, const char *key, struct gw_error *err);

/* Can the declarations of `catalog` join this one? token_conflict when a key is declared otherwise; it is named only if `plan` admits it. */
int gw_tokens_check_catalog(const struct gw_tokens *tokens, const struct gw_plan *plan, const struct gw_json *catalog, struct gw_error *err);

/* A new object with those members of `by_key` whose key the plan admits; the same object, referenced, when nothing is cut. NULL: no memory. */
struct gw_json *gw_tokens_project(struct gw_json *by_key, const struct gw_plan *plan);

#endif
