#include "script/compile.h"

#include "script/budget.h"

#define BYTES_PER_UNIT 2
#define PIECE_BYTES    64

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

int gw_compile(lua_State *L, const char *text, size_t length, const char *name)
{
    struct rest rest = {text, length};
    return lua_load(L, next_piece, &rest, name, "t");
}
