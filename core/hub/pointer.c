#include "hub/pointer.h"

#include <stdio.h>

#include "base/error.h"

void gw_pointer_prefix(struct gw_error *err, const char *key)
{
    char step[sizeof err->path];
    size_t length = 0;
    step[length++] = '/';
    for (; *key && length + 3 < sizeof step; key++) {
        if (*key == '~' || *key == '/') {
            step[length++] = '~';
            step[length++] = *key == '~' ? '0' : '1';
        } else {
            step[length++] = (unsigned char)*key < 0x20 ? '?' : *key;
        }
    }
    step[length] = '\0';
    gw_error_prefix(err, step);
}

void gw_pointer_prefix_index(struct gw_error *err, size_t index)
{
    char step[24];
    snprintf(step, sizeof step, "/%zu", index);
    gw_error_prefix(err, step);
}

bool gw_pointer_next(const char **pointer, char *out, size_t size)
{
    const char *at = *pointer;
    size_t length = 0;
    if (*at != '/')
        return false;
    for (at++; *at && *at != '/'; at++) {
        char c = *at;
        if (c == '~' && at[1] != '0' && at[1] != '1')
            return false;
        if (c == '~')
            c = *++at == '0' ? '~' : '/';
        if (length + 1 >= size)
            return false;
        out[length++] = c;
    }
    out[length] = '\0';
    *pointer = at;
    return true;
}
