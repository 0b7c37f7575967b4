#include "hub/tokens.h"

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/plan.h"
#include "hub/value_type.h"

int gw_tokens_init(struct gw_tokens *tokens)
{
    tokens->catalog = gw_json_new_object();
    tokens->values = gw_json_new_object();
    if (tokens->catalog && tokens->values)
        return GW_OK;
    gw_tokens_fini(tokens);
    return GW_ENOMEM;
}

void gw_tokens_fini(struct gw_tokens *tokens)
{
    gw_json_unref(tokens->catalog);
    gw_json_unref(tokens->values);
    tokens->catalog = tokens->values = NULL;
}

int gw_tokens_check_key(const struct gw_tokens *tokens, const struct gw_plan *plan, const char *key, struct gw_error *err)
{
    if (gw_json_get(tokens->catalog, key) && gw_plan_admits_token(plan, key))
        return GW_OK;
    return gw_error_set(err, GW_ENOTFOUND, "unknown_token", "no Token %s is declared in this run", key);
}

static int check_size(const struct gw_json *value, size_t max_bytes, struct gw_error *err)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_json_write_canonical(value, &text);
    bool has_failed = text.has_failed;
    size_t length = text.length;
    gw_buffer_fini(&text);
    if (has_failed)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a Token value");
    if (length <= max_bytes)
        return GW_OK;
    return gw_error_limit(err, "limit_token_bytes", "max_token_bytes", (int64_t)max_bytes, "a Token value may hold %zu bytes", max_bytes);
}

int gw_tokens_check(const struct gw_tokens *tokens, const struct gw_plan *plan, const char *key, const struct gw_json *value, size_t max_bytes,
                    struct gw_error *err)
{
    int status = gw_tokens_check_key(tokens, plan, key, err);
    if (!status)
        status = gw_value_fits(gw_json_get(tokens->catalog, key), value, err);
    return status ? status : check_size(value, max_bytes, err);
}

int gw_tokens_check_catalog(const struct gw_tokens *tokens, const struct gw_plan *plan, const struct gw_json *catalog, struct gw_error *err)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *declaration;
    while (gw_json_next(catalog, &iterator, &key, &declaration)) {
        const struct gw_json *present = gw_json_get(tokens->catalog, key);
        if (!present || gw_json_equal(present, declaration))
            continue;
        const char *name = gw_plan_admits_token(plan, key) ? key : "of this canvas";
        return gw_error_set(err, GW_ECONFLICT, "token_conflict", "the Token %s is already declared otherwise in this run", name);
    }
    return GW_OK;
}

static bool admits_all(const struct gw_json *by_key, const struct gw_plan *plan)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (gw_json_next(by_key, &iterator, &key, &value))
        if (!gw_plan_admits_token(plan, key))
            return false;
    return true;
}

struct gw_json *gw_tokens_project(struct gw_json *by_key, const struct gw_plan *plan)
{
    if (admits_all(by_key, plan))
        return gw_json_ref(by_key);
    struct gw_json *out = gw_json_new_object();
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (out && gw_json_next(by_key, &iterator, &key, &value)) {
        if (gw_plan_admits_token(plan, key) && gw_json_set(out, key, gw_json_ref(value))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}
