/* lua_lexer.h — the tokens of a Lua 5.4 source (manual section 3.1), as far as finding lines needs them: escapes inside strings are
 * skipped, not decoded, and numbers are not judged. Pure, over borrowed text; any input ends at GW_LUA_EOF. */
#ifndef GW_SCRIPT_LUA_LEXER_H
#define GW_SCRIPT_LUA_LEXER_H

#include <stdbool.h>
#include <stddef.h>

enum gw_lua_token_kind { GW_LUA_EOF, GW_LUA_NAME, GW_LUA_STRING, GW_LUA_NUMBER, GW_LUA_SYMBOL };

/* value: `text` is the name, the inside of the string, or the symbol; borrowed from the source */
struct gw_lua_token {
    enum gw_lua_token_kind kind;
    const char *text;
    size_t length;
    unsigned line;
    bool has_escapes; /* a string whose inside is not its value */
};

/* value */
struct gw_lua_lexer {
    const char *at, *end;
    unsigned line;
    struct gw_lua_token token; /* the present one */
};

void gw_lua_lexer_init(struct gw_lua_lexer *lx, const char *text, size_t length); /* stands on the first token */
void gw_lua_lexer_next(struct gw_lua_lexer *lx);
bool gw_lua_token_is(const struct gw_lua_token *token, const char *text); /* a name or symbol of that text */

#endif
