#include "app/bench_lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum { LINES_MAX = 100000 };

static void add(struct gw_bench_lines *lines, const char *text)
{
    size_t length = strcspn(text, "\r\n");
    char *copy = length > 0 ? gw_try_strndup(text, length) : NULL;
    if (copy != NULL) {
        lines->items[lines->count++] = copy;
    }
}

int gw_bench_lines_load(const char *path, struct gw_bench_lines *out, struct gw_error *err)
{
    char line[8192];
    *out = (struct gw_bench_lines){0};
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return gw_error_set(err, GW_EIO, "file_unreadable", "%s: %s", path, strerror(errno));
    }
    out->items = gw_alloc_array(LINES_MAX, sizeof out->items[0]);
    while (out->count < LINES_MAX && fgets(line, sizeof line, file) != NULL) {
        add(out, line);
    }
    fclose(file);
    return out->count > 0 ? GW_OK : gw_error_set(err, GW_EINVAL, "file_empty", "%s holds no line", path);
}

void gw_bench_lines_fini(struct gw_bench_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        gw_free(lines->items[i]);
    }
    gw_free(lines->items);
    *lines = (struct gw_bench_lines){0};
}

const char *gw_bench_lines_at(const struct gw_bench_lines *lines, size_t index)
{
    return lines->count > 0 ? lines->items[index % lines->count] : "";
}
