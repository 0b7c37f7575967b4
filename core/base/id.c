#include "base/id.h"

#include <assert.h>
#include <string.h>

static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

static bool is_valid(const char *text, size_t length, const char *more_first, const char *more)
{
    if (length == 0 || length > GW_ID_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        const char *allowed = i == 0 ? more_first : more;
        if (!is_word(text[i]) && (text[i] == '\0' || !strchr(allowed, text[i])))
            return false;
    }
    return true;
}

bool gw_id_is_valid(const char *text, size_t length) { return is_valid(text, length, "", "."); }

bool gw_id_is_valid_actor(const char *text, size_t length) { return is_valid(text, length, ":@", ".:@"); }

void gw_run_key_encode(const struct gw_scope *scope, struct gw_run_key *out)
{
    const char *parts[] = {scope->tenant_id, scope->mode, scope->project_id, scope->run_id};
    char *at = out->text;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t length = strnlen(parts[i], GW_ID_MAX + 1);
        assert(gw_id_is_valid(parts[i], length));
        if (i > 0)
            *at++ = '/';
        memcpy(at, parts[i], length);
        at += length;
    }
    *at = '\0';
}
