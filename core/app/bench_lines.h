/* bench_lines.h — a small text file as a list of its lines: bearers, cursors. Owns the text. Any thread once loaded. */
#ifndef GW_APP_BENCH_LINES_H
#define GW_APP_BENCH_LINES_H

#include <stddef.h>

struct gw_error;

/* value; zeroed is an empty list */
struct gw_bench_lines {
    char **items;
    size_t count;
};

/* Empty lines are skipped. Errors: file_unreadable, file_empty. */
int gw_bench_lines_load(const char *path, struct gw_bench_lines *out, struct gw_error *err);
void gw_bench_lines_fini(struct gw_bench_lines *lines);
/* Line `index` modulo their number; "" of an empty list. */
const char *gw_bench_lines_at(const struct gw_bench_lines *lines, size_t index);

#endif
