#include "script/lua_lexer.h"

#include <ctype.h>
#include <string.h>

static bool is_name_char(char c) { return isalnum((unsigned char)c) || c == '_'; }

static void count_lines(struct gw_lua_lexer *lx, const char *from)
{
    for (const char *p = from; p < lx->at; p++)
        lx->line += *p == '\n';
}

/* The level of a long bracket that opens here ("[[" is 0, "[=[" is 1), or -1. */
static int long_bracket_level(const struct gw_lua_lexer *lx)
{
    const char *p = lx->at + 1;
    while (p < lx->end && *p == '=')
        p++;
    return p < lx->end && *p == '[' ? (int)(p - lx->at - 1) : -1;
}

static void read_long_string(struct gw_lua_lexer *lx, int level)
{
    const char *from = lx->at;
    const char *inside = from + level + 2;
    const char *p = inside;
    for (; p < lx->end; p++) {
        if (*p != ']' || lx->end - p < level + 2 || p[level + 1] != ']')
            continue;
        if (strspn(p + 1, "=") == (size_t)level)
            break;
    }
    lx->token.kind = GW_LUA_STRING;
    lx->token.text = inside;
    lx->token.length = (size_t)(p - inside);
    lx->token.has_escapes = true; /* a leading newline is dropped by Lua, so the inside need not be the value */
    lx->at = p < lx->end ? p + level + 2 : lx->end;
    count_lines(lx, from);
}

static void read_short_string(struct gw_lua_lexer *lx)
{
    char quote = *lx->at;
    const char *from = lx->at++;
    while (lx->at < lx->end && *lx->at != quote) {
        if (*lx->at == '\\') {
            lx->token.has_escapes = true;
            lx->at++;
        }
        if (lx->at < lx->end)
            lx->at++;
    }
    lx->token.kind = GW_LUA_STRING;
    lx->token.text = from + 1;
    lx->token.length = (size_t)(lx->at - from - 1);
    if (lx->at < lx->end)
        lx->at++;
    count_lines(lx, from);
}

static void skip_comment(struct gw_lua_lexer *lx)
{
    lx->at += 2;
    int level = lx->at < lx->end && *lx->at == '[' ? long_bracket_level(lx) : -1;
    if (level >= 0) {
        read_long_string(lx, level);
        return;
    }
    while (lx->at < lx->end && *lx->at != '\n' && *lx->at != '\r')
        lx->at++;
}

static void skip_blank(struct gw_lua_lexer *lx)
{
    while (lx->at < lx->end) {
        if (*lx->at == '\n')
            lx->line++;
        if (isspace((unsigned char)*lx->at))
            lx->at++;
        else if (lx->end - lx->at >= 2 && lx->at[0] == '-' && lx->at[1] == '-')
            skip_comment(lx);
        else
            return;
    }
}

static void read_word(struct gw_lua_lexer *lx)
{
    const char *from = lx->at;
    bool is_number = isdigit((unsigned char)*from) || *from == '.';
    while (lx->at < lx->end && (is_name_char(*lx->at) || (is_number && *lx->at == '.')))
        lx->at++;
    lx->token.kind = is_number ? GW_LUA_NUMBER : GW_LUA_NAME;
    lx->token.length = (size_t)(lx->at - from);
}

static void read_symbol(struct gw_lua_lexer *lx)
{
    /* Only "==" matters as a pair: its second half must not pass for the "=" of a table member. */
    static const char pairs[] = "==~=<=>=";
    size_t width = 1;
    for (size_t i = 0; i + 1 < sizeof pairs && lx->end - lx->at >= 2; i += 2)
        if (memcmp(lx->at, pairs + i, 2) == 0)
            width = 2;
    lx->token.kind = GW_LUA_SYMBOL;
    lx->token.length = width;
    lx->at += width;
}

void gw_lua_lexer_next(struct gw_lua_lexer *lx)
{
    skip_blank(lx);
    lx->token = (struct gw_lua_token){GW_LUA_EOF, lx->at, 0, lx->line, false};
    if (lx->at >= lx->end)
        return;
    char c = *lx->at;
    int level = c == '[' ? long_bracket_level(lx) : -1;
    bool starts_fraction = c == '.' && lx->end - lx->at >= 2 && isdigit((unsigned char)lx->at[1]);
    if (level >= 0)
        read_long_string(lx, level);
    else if (c == '"' || c == '\'')
        read_short_string(lx);
    else if (is_name_char(c) || starts_fraction)
        read_word(lx);
    else
        read_symbol(lx);
}

void gw_lua_lexer_init(struct gw_lua_lexer *lx, const char *text, size_t length)
{
    *lx = (struct gw_lua_lexer){text, text + length, 1, {GW_LUA_EOF, text, 0, 1, false}};
    gw_lua_lexer_next(lx);
}

bool gw_lua_token_is(const struct gw_lua_token *token, const char *text)
{
    if (token->kind != GW_LUA_NAME && token->kind != GW_LUA_SYMBOL)
        return false;
    return strlen(text) == token->length && memcmp(token->text, text, token->length) == 0;
}
