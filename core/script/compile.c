#include "script/compile.h"

#include <stdbool.h>
#include <string.h>

#include "script/budget.h"

#define BYTES_PER_UNIT 2
#define PIECE_BYTES    64
#define JUMPS_MAX      2000 /* 1 ms in one token: lparser.c, solvegoto moves all that wait behind the one that goes */

/* value: what is left of the text */
struct rest {
    const char *text;
    size_t length;
};

static const char *next_piece(lua_State *L, void *self, size_t *size)
{
    struct rest *rest = self;
    const char *piece = rest->text;
    *size = rest->length < PIECE_BYTES ? rest->length : PIECE_BYTES;
    gw_budget_charge(L, *size / BYTES_PER_UNIT);
    gw_budget_look(L);
    rest->text += *size;
    rest->length -= *size;
    return piece;
}

static bool begins_with(struct rest rest, const char *word)
{
    size_t length = strlen(word);
    return rest.length >= length && memcmp(rest.text, word, length) == 0;
}

/* The line of the first that is too many; 0: there is none. Words in texts and comments count, so that no text can hide one. */
static int find_excess(struct rest rest)
{
    unsigned count = 0;
    int line = 1;
    for (; rest.length > 0; rest.text++, rest.length--) {
        line += *rest.text == '\n';
        bool may_be_one = *rest.text == 'b' || *rest.text == 'g';
        if (may_be_one && (begins_with(rest, "break") || begins_with(rest, "goto")) && ++count > JUMPS_MAX)
            return line;
    }
    return 0;
}

int gw_compile(lua_State *L, const char *text, size_t length, const char *name)
{
    struct rest rest = {text, length};
    int line = find_excess(rest);
    if (line > 0) {
        lua_pushfstring(L, "%s:%d: more than %d words break and goto in one file", name + 1, line, JUMPS_MAX);
        return LUA_ERRSYNTAX;
    }
    return lua_load(L, next_piece, &rest, name, "t");
}
