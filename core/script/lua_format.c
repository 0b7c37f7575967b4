#include <stdio.h>
#include <string.h>

#include "script/lua_library.h"

#define MAX_FLAGS       5
#define MAX_SPEC        64 /* "%-+ #099.99lld" */
#define UNITS_PER_DIGIT 8
#define MAX_NUMBER      512 /* bytes of "%99.99f" of the largest number */

/* One conversion: what stands between % and its letter. */
struct conversion {
    char letter;
    char flags[MAX_FLAGS + 1];
    int width;     /* -1: none */
    int precision; /* -1: none */
};

/* value: the flags that a letter takes, as in C, and whether it takes a precision */
struct rule {
    char letter;
    char flags[MAX_FLAGS + 1];
    bool has_precision;
};

static const struct rule rules[] = {{'d', "-+0 ", true},  {'i', "-+0 ", true},  {'u', "-0", true},    {'c', "-", false},
                                    {'s', "-", true},     {'x', "-#0", true},   {'X', "-#0", true},   {'o', "-#0", true},
                                    {'a', "-+#0 ", true}, {'A', "-+#0 ", true}, {'e', "-+#0 ", true}, {'E', "-+#0 ", true},
                                    {'f', "-+#0 ", true}, {'g', "-+#0 ", true}, {'G', "-+#0 ", true}};

static const struct rule *find_rule(char letter)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].letter == letter)
            return &rules[i];
    return NULL;
}

/* At most two digits; -1 where there are none. */
static int parse_number(const char **at, const char *end)
{
    int number = -1;
    for (int i = 0; i < 2 && *at < end && **at >= '0' && **at <= '9'; i++)
        number = (number < 0 ? 0 : number * 10) + (*(*at)++ - '0');
    return number;
}

/* *at is behind the %, and afterwards behind the letter. */
static bool parse_conversion(const char **at, const char *end, struct conversion *out)
{
    size_t count = 0;
    while (*at < end && **at != '\0' && strchr("-+ #0", **at) != NULL && count < MAX_FLAGS)
        out->flags[count++] = *(*at)++;
    out->flags[count] = '\0';
    out->width = parse_number(at, end);
    out->precision = -1;
    bool has_precision = *at < end && **at == '.';
    if (has_precision) {
        (*at)++;
        int precision = parse_number(at, end);
        out->precision = precision < 0 ? 0 : precision;
    }
    out->letter = *at < end ? *(*at)++ : '\0';
    const struct rule *rule = find_rule(out->letter);
    return rule != NULL && strspn(out->flags, rule->flags) == count && (!has_precision || rule->has_precision);
}

/* The conversion as snprintf reads it. */
static void write_spec(const struct conversion *c, const char *size, char out[MAX_SPEC])
{
    char width[16] = "", precision[16] = "";
    if (c->width >= 0)
        (void)snprintf(width, sizeof(width), "%d", c->width);
    if (c->precision >= 0)
        (void)snprintf(precision, sizeof(precision), ".%d", c->precision);
    (void)snprintf(out, MAX_SPEC, "%%%s%s%s%s%c", c->flags, width, precision, size, c->letter);
}

static void add_integer(luaL_Buffer *buffer, const struct conversion *c, int arg)
{
    char spec[MAX_SPEC];
    write_spec(c, "ll", spec);
    long long number = gw_lua_check_integer(buffer->L, arg);
    char *out = luaL_prepbuffsize(buffer, MAX_NUMBER);
    luaL_addsize(buffer, (size_t)snprintf(out, MAX_NUMBER, spec, number));
}

static void add_float(luaL_Buffer *buffer, const struct conversion *c, int arg)
{
    char spec[MAX_SPEC];
    write_spec(c, "", spec);
    double number = gw_lua_check_number(buffer->L, arg);
    char *out = luaL_prepbuffsize(buffer, MAX_NUMBER);
    size_t length = (size_t)snprintf(out, MAX_NUMBER, spec, number);
    luaL_addsize(buffer, length);
    /* Many digits are worked out with long division: 12 us for "%99.99f" of 1e308. */
    gw_budget_charge(buffer->L, UNITS_PER_DIGIT * length);
}

static void add_blanks(luaL_Buffer *buffer, size_t count)
{
    while (count-- > 0)
        luaL_addchar(buffer, ' ');
}

static void add_padded(luaL_Buffer *buffer, const struct conversion *c, const char *text, size_t length)
{
    size_t width = c->width > 0 ? (size_t)c->width : 0;
    size_t blanks = width > length ? width - length : 0;
    bool is_left = strchr(c->flags, '-') != NULL;
    gw_lua_check_length(buffer->L, luaL_bufflen(buffer) + length);
    gw_lua_charge_bytes(buffer->L, length);
    add_blanks(buffer, is_left ? 0 : blanks);
    luaL_addlstring(buffer, text, length);
    add_blanks(buffer, is_left ? blanks : 0);
}

static void add_byte(luaL_Buffer *buffer, const struct conversion *c, int arg)
{
    char byte = (char)gw_lua_check_integer(buffer->L, arg);
    add_padded(buffer, c, &byte, 1);
}

/* Only what has one text: the text of a table or a function would be its address. */
static const char *check_text(lua_State *L, int arg, size_t *length)
{
    switch (lua_type(L, arg)) {
    case LUA_TSTRING:
    case LUA_TNUMBER:
        return lua_tolstring(L, arg, length);
    case LUA_TBOOLEAN:
        *length = lua_toboolean(L, arg) ? 4 : 5;
        return lua_toboolean(L, arg) ? "true" : "false";
    case LUA_TNIL:
        *length = 3;
        return "nil";
    default:
        luaL_typeerror(L, arg, "string, number or boolean");
        return NULL;
    }
}

static void add_string(luaL_Buffer *buffer, const struct conversion *c, int arg)
{
    size_t length;
    const char *text = check_text(buffer->L, arg, &length);
    if (c->precision >= 0 && (size_t)c->precision < length)
        length = (size_t)c->precision;
    add_padded(buffer, c, text, length);
}

static void add_conversion(luaL_Buffer *buffer, const struct conversion *c, int arg)
{
    gw_budget_charge(buffer->L, 8);
    switch (c->letter) {
    case 's':
        add_string(buffer, c, arg);
        break;
    case 'c':
        add_byte(buffer, c, arg);
        break;
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        add_integer(buffer, c, arg);
        break;
    default:
        add_float(buffer, c, arg);
        break;
    }
}

int gw_lua_format(lua_State *L)
{
    size_t length;
    const char *at = luaL_checklstring(L, 1, &length);
    const char *end = at + length;
    int top = lua_gettop(L), arg = 1;
    luaL_Buffer buffer;
    gw_budget_charge(L, 1 + length / 2);
    luaL_buffinit(L, &buffer);
    while (at < end) {
        if (*at != '%') {
            luaL_addchar(&buffer, *at++);
            continue;
        }
        at++;
        if (at < end && *at == '%') {
            luaL_addchar(&buffer, *at++);
            continue;
        }
        const char *from = at;
        struct conversion conversion;
        if (!parse_conversion(&at, end, &conversion)) {
            lua_pushlstring(L, from, (size_t)(at - from));
            return luaL_error(L, "invalid conversion '%%%s' to 'format'", lua_tostring(L, -1));
        }
        if (++arg > top)
            return luaL_argerror(L, arg, "no value");
        add_conversion(&buffer, &conversion, arg);
    }
    gw_lua_push_result(&buffer);
    return 1;
}
