#include "script/source_line.h"

#include <string.h>

#include "script/lua_lexer.h"
#include "script/sources.h"

static bool is_text(const struct gw_lua_token *token, const char *text)
{
    bool can_be = token->kind == GW_LUA_NAME || (token->kind == GW_LUA_STRING && !token->has_escapes);
    return can_be && token->length == strlen(text) && memcmp(token->text, text, token->length) == 0;
}

unsigned gw_source_line_of(const struct gw_source *source, const char *text, unsigned from)
{
    struct gw_lua_lexer lexer;
    gw_lua_lexer_init(&lexer, source->text, source->length);
    for (; lexer.token.kind != GW_LUA_EOF; gw_lua_lexer_next(&lexer))
        if (lexer.token.line >= from && is_text(&lexer.token, text))
            return lexer.token.line;
    return 0;
}

unsigned gw_source_line_of_function(const struct gw_source *source, const char *name)
{
    struct gw_lua_lexer lexer;
    struct gw_lua_token before[2] = {{0}, {0}}; /* the last name, and the last `function` */
    bool is_named = false, is_assigned = false;
    gw_lua_lexer_init(&lexer, source->text, source->length);
    for (; lexer.token.kind != GW_LUA_EOF; gw_lua_lexer_next(&lexer)) {
        const struct gw_lua_token *token = &lexer.token;
        if (gw_lua_token_is(token, "function")) {
            if (is_assigned)
                return before[0].line;
            before[1] = *token;
        } else if (is_text(token, name)) {
            if (before[1].line == token->line)
                return token->line;
            before[0] = *token;
            is_named = true;
            is_assigned = false;
            continue;
        }
        is_assigned = is_named && gw_lua_token_is(token, "=");
        is_named = false;
    }
    return 0;
}
