#include "script/script_words.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/map.h"
#include "script/lua_lexer.h"
#include "script/scripts_internal.h"
#include "script/sources.h"

static bool begins_with(const char *text, const char *start) { return strncmp(text, start, strlen(start)) == 0; }

/* What follows "policy." or "defaults."; NULL: another module. */
static const char *policy_name(const char *module)
{
    static const char *const prefixes[] = {"policy.", "defaults."};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (begins_with(module, prefixes[i]))
            return module + strlen(prefixes[i]);
    return NULL;
}

/* Files that a lens may be made of. */
static bool is_of_lens(const struct gw_source *source)
{
    const char *name = policy_name(source->module);
    return name && !begins_with(name, "commands.") && strcmp(name, "ceiling") != 0 && strcmp(name, "sanitize") != 0 &&
           strcmp(name, "context_lens") != 0;
}

static bool is_other(const struct gw_source *source)
{
    bool is_policy = begins_with(source->module, "policy.") && !is_of_lens(source) && strcmp(source->module, "policy.ceiling") != 0;
    return is_policy || begins_with(source->module, "canvas.");
}

/* ---- words ----------------------------------------------------------------------------------------------------------------------------- */

static void tell_words(const struct gw_source *source, struct gw_map *known, void (*told)(void *arg, const char *word), void *arg)
{
    struct gw_lua_lexer lexer;
    char word[GW_ID_MAX + 1];
    gw_lua_lexer_init(&lexer, source->text, source->length);
    for (; lexer.token.kind != GW_LUA_EOF && gw_map_count(known) < GW_SCRIPT_WORDS_MAX; gw_lua_lexer_next(&lexer)) {
        const struct gw_lua_token *token = &lexer.token;
        bool is_word = token->kind == GW_LUA_NAME || token->kind == GW_LUA_STRING;
        if (!is_word || !gw_id_is_valid(token->text, token->length) || gw_map_get(known, token->text, token->length))
            continue;
        if (gw_map_put(known, token->text, token->length, known, NULL))
            return;
        snprintf(word, sizeof word, "%.*s", (int)token->length, token->text);
        told(arg, word);
    }
}

void gw_script_words_each(const struct gw_sources *sources, void (*told)(void *arg, const char *word), void *arg)
{
    static const uint8_t seed[16] = "words of lenses"; /* an operator's files, and bounded */
    struct gw_map *known = gw_map_create(seed);
    for (size_t i = 0; i < gw_sources_count(sources); i++)
        if (is_of_lens(gw_sources_at(sources, i)))
            tell_words(gw_sources_at(sources, i), known, told, arg);
    gw_map_destroy(known);
}

int gw_scripts_each_word(struct gw_scripts *scripts, const char *tenant_id, void (*told)(void *arg, const char *word), void *arg,
                         struct gw_error *err)
{
    struct gw_generation *generation;
    int status = gw_scripts_get(scripts, tenant_id, &generation, err);
    if (status)
        return status;
    gw_script_words_each(generation->sources, told, arg);
    gw_generation_unref(generation);
    return GW_OK;
}

/* ---- files ----------------------------------------------------------------------------------------------------------------------------- */

/* The folder's own name may differ between two sets that are compared. */
static const char *name_in_folder(const struct gw_source *source)
{
    const char *name = policy_name(source->module);
    return name ? name : source->module;
}

static int add(struct gw_json *out, const struct gw_source *source)
{
    uint8_t digest[GW_SHA256_BYTES];
    char hex[2 * GW_SHA256_BYTES + 1], path[GW_MODULE_NAME_MAX + 8];
    gw_sha256(source->text, source->length, digest);
    gw_hex_encode(digest, sizeof digest, hex);
    snprintf(path, sizeof path, "%s", name_in_folder(source));
    for (char *dot = path; (dot = strchr(dot, '.'));)
        *dot = '/';
    snprintf(path + strlen(path), sizeof path - strlen(path), ".lua");
    return gw_json_set(out, path, gw_json_new_text(hex, strlen(hex)));
}

int gw_scripts_other_files(struct gw_scripts *scripts, const char *tenant_id, struct gw_json **out, struct gw_error *err)
{
    struct gw_generation *generation;
    int status = gw_scripts_get(scripts, tenant_id, &generation, err);
    if (status)
        return status;
    *out = gw_json_new_object();
    status = *out ? GW_OK : GW_ENOMEM;
    for (size_t i = 0; !status && i < gw_sources_count(generation->sources); i++)
        if (is_other(gw_sources_at(generation->sources, i)))
            status = add(*out, gw_sources_at(generation->sources, i));
    gw_generation_unref(generation);
    return status ? gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a list of files") : GW_OK;
}
