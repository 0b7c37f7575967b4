/* tokens.h — the Tokens of one run: declarations by key, and the values that are set. Owned by the run's state; one thread. Judging (check)
 * and changing (declare, put) are apart, so that a fold never refuses what was resolved. Changes are undone by the journal when that is
 * open; a failed change (GW_ENOMEM, or GW_EINVAL for a key that is not declared) has changed nothing. */
#ifndef GW_HUB_TOKENS_H
#define GW_HUB_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_buffer;
struct gw_error;
struct gw_journal;
struct gw_json;
struct gw_lens;
struct gw_plan;
struct gw_tokens;

/* `seed` is for hashing only. `journal` is the state's, borrowed. NULL when memory is gone. */
struct gw_tokens *gw_tokens_create(const uint8_t seed[16], struct gw_journal *journal);
void gw_tokens_destroy(struct gw_tokens *tokens);

struct gw_json *gw_tokens_declaration(const struct gw_tokens *tokens, const char *key); /* borrowed; NULL: not declared */
struct gw_json *gw_tokens_value(const struct gw_tokens *tokens, const char *key);       /* borrowed; NULL: not set */

/* Is a Token of that declaration (NULL: not declared) read? Sidecars are by those with vision alone. */
bool gw_tokens_shows(const struct gw_plan *plan, const char *key, const struct gw_json *declaration);
/* May an author whose lens is `plan` name this key? An undeclared key and a hidden one get the same answer: GW_ENOTFOUND unknown_token. */
int gw_tokens_check_key(const struct gw_tokens *tokens, const struct gw_plan *plan, const char *key, struct gw_error *err);
/* May it set or unset the key? As above, and GW_EDENIED not_allowed. */
int gw_tokens_check_write(const struct gw_tokens *tokens, const struct gw_plan *plan, const char *key, struct gw_error *err);
/* May `value` be set? As above; err->path is the pointer inside the value; ids as gw_value_fits, and limit_token_bytes (canonical text). */
int gw_tokens_check(const struct gw_tokens *tokens, const struct gw_plan *plan, const char *key, const struct gw_json *value,
                    size_t max_bytes, struct gw_error *err);
/* May the declarations of `catalog` (key → declaration) join? GW_ECONFLICT token_conflict when one is declared otherwise; it is named only
 * if `plan` admits it. */
int gw_tokens_check_catalog(const struct gw_tokens *tokens, const struct gw_plan *plan, const struct gw_json *catalog,
                            struct gw_error *err);

/* Declares a key, or declares it anew. Takes a reference. */
int gw_tokens_declare(struct gw_tokens *tokens, const char *key, struct gw_json *declaration);
/* Sets a declared key; NULL unsets it. Takes a reference. */
int gw_tokens_put(struct gw_tokens *tokens, const char *key, struct gw_json *value);

/* Canonical objects of what the lens (NULL: everything) shows, appended: {key: value} of the set ones, {key: declaration} of all. */
void gw_tokens_write_values(const struct gw_tokens *tokens, const struct gw_lens *lens, struct gw_buffer *out);
void gw_tokens_write_catalog(const struct gw_tokens *tokens, const struct gw_lens *lens, struct gw_buffer *out);

#endif
