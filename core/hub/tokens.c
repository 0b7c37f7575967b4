#include "hub/tokens.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/map.h"
#include "hub/journal.h"
#include "hub/lens.h"
#include "hub/plan.h"
#include "hub/value_type.h"

struct token {
    char *key;
    struct gw_json *declaration;
    struct gw_json *value; /* NULL: not set */
};

struct gw_tokens {
    struct gw_map *by_key;
    struct gw_journal *journal;
};

/* Undoes one change of a token: puts the former pair back, or takes a new token out. */
struct token_undo {
    struct gw_undo undo;
    struct gw_tokens *tokens;
    struct token *token;
    struct gw_json *declaration, *value; /* owned; what stood before */
    bool is_new;
};

struct gw_tokens *gw_tokens_create(const uint8_t seed[16], struct gw_journal *journal)
{
    struct gw_tokens *tokens = gw_alloc(sizeof *tokens);
    tokens->by_key = gw_map_create(seed);
    tokens->journal = journal;
    return tokens;
}

static void free_token(struct token *token)
{
    gw_json_unref(token->declaration);
    gw_json_unref(token->value);
    gw_free(token->key);
    gw_free(token);
}

void gw_tokens_destroy(struct gw_tokens *tokens)
{
    size_t cursor = 0, length;
    const void *key;
    void *token;
    if (!tokens)
        return;
    while (gw_map_next(tokens->by_key, &cursor, &key, &length, &token))
        free_token(token);
    gw_map_destroy(tokens->by_key);
    gw_free(tokens);
}

static struct token *find(const struct gw_tokens *tokens, const char *key) { return gw_map_get(tokens->by_key, key, strlen(key)); }

struct gw_json *gw_tokens_declaration(const struct gw_tokens *tokens, const char *key)
{
    const struct token *token = find(tokens, key);
    return token ? token->declaration : NULL;
}

struct gw_json *gw_tokens_value(const struct gw_tokens *tokens, const char *key)
{
    const struct token *token = find(tokens, key);
    return token ? token->value : NULL;
}

/* ---- judging ----------------------------------------------------------------------------------------------------------------------------
 */

bool gw_tokens_shows(const struct gw_plan *plan, const char *key, const struct gw_json *declaration)
{
    if (!declaration || (!plan->sees_sidecars && gw_value_type_is_sidecar(declaration)))
        return false;
    return gw_plan_reads_token(plan, key);
}

int gw_tokens_check_key(const struct gw_tokens *tokens, const struct gw_plan *plan, const char *key, struct gw_error *err)
{
    if (gw_tokens_shows(plan, key, gw_tokens_declaration(tokens, key)))
        return GW_OK;
    return gw_error_set(err, GW_ENOTFOUND, "unknown_token", "no Token %s is declared in this run", key);
}

int gw_tokens_check_write(const struct gw_tokens *tokens, const struct gw_plan *plan, const char *key, struct gw_error *err)
{
    int status = gw_tokens_check_key(tokens, plan, key, err);
    if (status || gw_plan_writes_token(plan, key))
        return status;
    return gw_error_set(err, GW_EDENIED, "not_allowed", "your lens does not let you set the Token %s", key);
}

static int check_size(const struct gw_json *value, size_t max_bytes, struct gw_error *err)
{
    ptrdiff_t length = gw_json_canonical_length(value);
    if (length < 0)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a Token value");
    if ((size_t)length <= max_bytes)
        return GW_OK;
    return gw_error_limit(err, "limit_token_bytes", "max_token_bytes", (int64_t)max_bytes, "a Token value may hold %zu bytes", max_bytes);
}

int gw_tokens_check(const struct gw_tokens *tokens, const struct gw_plan *plan, const char *key, const struct gw_json *value,
                    size_t max_bytes, struct gw_error *err)
{
    int status = gw_tokens_check_write(tokens, plan, key, err);
    if (!status)
        status = gw_value_fits(find(tokens, key)->declaration, value, err);
    return status ? status : check_size(value, max_bytes, err);
}

int gw_tokens_check_catalog(const struct gw_tokens *tokens, const struct gw_plan *plan, const struct gw_json *catalog, struct gw_error *err)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *declaration;
    while (gw_json_next(catalog, &iterator, &key, &declaration)) {
        const struct token *present = find(tokens, key);
        if (!present || gw_json_equal(present->declaration, declaration))
            continue;
        if (!gw_tokens_shows(plan, key, present->declaration))
            return gw_error_set(err, GW_ECONFLICT, "token_conflict", "a Token of this canvas is already declared otherwise in this run");
        return gw_error_set(err, GW_ECONFLICT, "token_conflict", "the Token %s is already declared otherwise in this run", key);
    }
    return GW_OK;
}

/* ---- changing ---------------------------------------------------------------------------------------------------------------------------
 */

static void revert(struct gw_undo *step)
{
    struct token_undo *undo = (struct token_undo *)step;
    struct token *token = undo->token;
    if (undo->is_new) {
        gw_map_remove(undo->tokens->by_key, token->key, strlen(token->key));
        free_token(token);
    } else {
        gw_json_unref(token->declaration);
        gw_json_unref(token->value);
        token->declaration = undo->declaration;
        token->value = undo->value;
    }
    gw_free(undo);
}

static void forget(struct gw_undo *step)
{
    struct token_undo *undo = (struct token_undo *)step;
    gw_json_unref(undo->declaration);
    gw_json_unref(undo->value);
    gw_free(undo);
}

/* Gives `token` a new pair (references taken over); the old one goes to the journal. */
static int change(struct gw_tokens *tokens, struct token *token, struct gw_json *declaration, struct gw_json *value)
{
    struct token_undo *undo = gw_try_alloc(sizeof *undo);
    if (!undo)
        return GW_ENOMEM;
    *undo = (struct token_undo){{NULL, revert, forget}, tokens, token, token->declaration, token->value, token->declaration == NULL};
    token->declaration = gw_json_ref(declaration);
    token->value = value ? gw_json_ref(value) : NULL;
    gw_journal_push(tokens->journal, &undo->undo);
    return GW_OK;
}

static struct token *add(struct gw_tokens *tokens, const char *key)
{
    struct token *token = gw_try_alloc(sizeof *token);
    if (!token)
        return NULL;
    *token = (struct token){.key = gw_try_strndup(key, strlen(key))};
    if (token->key && !gw_map_put(tokens->by_key, key, strlen(key), token, NULL))
        return token;
    free_token(token);
    return NULL;
}

int gw_tokens_declare(struct gw_tokens *tokens, const char *key, struct gw_json *declaration)
{
    struct token *token = find(tokens, key);
    bool is_new = !token;
    if (is_new)
        token = add(tokens, key);
    if (!token)
        return GW_ENOMEM;
    int status = change(tokens, token, declaration, token->value);
    if (status && is_new) {
        gw_map_remove(tokens->by_key, key, strlen(key));
        free_token(token);
    }
    return status;
}

int gw_tokens_put(struct gw_tokens *tokens, const char *key, struct gw_json *value)
{
    struct token *token = find(tokens, key);
    return token ? change(tokens, token, token->declaration, value) : GW_EINVAL;
}

/* ---- writing ----------------------------------------------------------------------------------------------------------------------------
 */

static int compare_keys(const void *a, const void *b) { return strcmp((*(struct token *const *)a)->key, (*(struct token *const *)b)->key); }

/* The admitted tokens by key, *count of them; NULL when memory is gone. */
static struct token **sort_admitted(const struct gw_tokens *tokens, const struct gw_lens *lens, size_t *count)
{
    struct token **sorted = gw_try_grow(NULL, gw_map_count(tokens->by_key) + 1, sizeof(struct token *));
    size_t cursor = 0, length;
    const void *key;
    void *value;
    *count = 0;
    while (sorted && gw_map_next(tokens->by_key, &cursor, &key, &length, &value)) {
        struct token *token = value;
        if (!lens || gw_tokens_shows(lens->plan, token->key, token->declaration))
            sorted[(*count)++] = token;
    }
    if (sorted)
        qsort(sorted, *count, sizeof *sorted, compare_keys);
    return sorted;
}

/* The value as the lens shows it, a new reference; NULL: none is shown, or *has_failed. */
static struct gw_json *see(const struct token *token, const struct gw_lens *lens, bool *has_failed)
{
    if (!token->value)
        return NULL;
    struct gw_json *value = gw_lens_token(lens, token->key, token->value);
    *has_failed |= !value;
    if (value && value != token->value && gw_json_is_null(value)) {
        gw_json_unref(value);
        value = NULL;
    }
    return value;
}

static void write_object(const struct gw_tokens *tokens, const struct gw_lens *lens, bool is_catalog, struct gw_buffer *out)
{
    size_t count, written = 0;
    struct token **sorted = sort_admitted(tokens, lens, &count);
    if (!sorted)
        out->has_failed = true; /* there is no append that fails on purpose */
    gw_buffer_append_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        struct gw_json *value = is_catalog ? gw_json_ref(sorted[i]->declaration) : see(sorted[i], lens, &out->has_failed);
        if (!value)
            continue;
        if (written++)
            gw_buffer_append_char(out, ',');
        gw_buffer_append_json_string(out, sorted[i]->key, strlen(sorted[i]->key));
        gw_buffer_append_char(out, ':');
        gw_json_write_canonical(value, out);
        gw_json_unref(value);
    }
    gw_buffer_append_char(out, '}');
    gw_free(sorted);
}

void gw_tokens_write_values(const struct gw_tokens *tokens, const struct gw_lens *lens, struct gw_buffer *out)
{
    write_object(tokens, lens, false, out);
}

void gw_tokens_write_catalog(const struct gw_tokens *tokens, const struct gw_lens *lens, struct gw_buffer *out)
{
    write_object(tokens, lens, true, out);
}
