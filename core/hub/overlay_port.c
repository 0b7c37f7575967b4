#include "hub/overlay_port.h"

#include <string.h>

#define SUFFIX ".lua"

static size_t word_length(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char also_later[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return strspn(text, letters) ? strspn(text, also_later) : 0;
}

bool gw_overlay_name_is_valid(const char *name)
{
    if (strlen(name) > GW_OVERLAY_NAME_MAX)
        return false;
    for (;;) {
        size_t length = word_length(name);
        if (length == 0)
            return false;
        name += length;
        if (*name != '/')
            return strcmp(name, SUFFIX) == 0;
        name++;
    }
}
