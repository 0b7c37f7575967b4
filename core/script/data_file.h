/* data_file.h — a Lua file read as pure data: configuration, canvas manifests. The file is a text chunk that returns one table; it runs in
 * a state of its own with no library at all, metered as a sandbox is (meter.h), sees nothing but what its caller grants, and the
 * state is gone before the answer is given. Owns the resulting JSON tree and the lines on which its members stand, so that later checks can
 * say file:line. Blocking and bounded; any thread, one file at a time. Not for policies: their functions are called, these are refused.
 *
 * From Lua to JSON: a table whose keys are 1..n is an array, one whose keys are text is an object (members in byte order of their keys),
 * any other mix is refused. An empty table is an empty object, except as the member of a name that the caller lists as a list. A member set
 * to nil is absent. An integer must lie within ±(2^53-1), a float must be finite (I-JSON); text must be valid UTF-8 without NUL. Functions,
 * cycles, and tables nested or numbered over the limits are refused with their place. */
#ifndef GW_SCRIPT_DATA_FILE_H
#define GW_SCRIPT_DATA_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct gw_data_file;
struct gw_error;
struct gw_json;

/* value: limits, all inclusive maxima */
struct gw_data_limits {
    size_t max_bytes;          /* of the source: 1 MiB */
    size_t max_memory_bytes;   /* of the Lua state: 16 MiB */
    unsigned max_instructions; /* 1,000,000, counted as budget.h does */
    unsigned max_ms;           /* of the processor: 50 */
    unsigned max_depth;        /* 32 */
    unsigned max_nodes;        /* 16,384 */
};
void gw_data_limits_default(struct gw_data_limits *limits);

/* value: what the file may ask of the world, and what the reader knows beforehand; all zero is fine */
struct gw_data_opts {
    void *self;
    /* The variable's text (borrowed until the load has returned), or NULL. When set, the file may call env("NAME") and env("NAME",
     * default): an unset or empty variable gives the default (or nil), and a set one is read as the type of the default: text, number, or
     * boolean ("true", "false", "1", "0"). */
    const char *(*env)(void *self, const char *name);
    /* Names of members, ended by NULL, whose empty table is an empty array. May be NULL. */
    const char *const *list_names;
    const struct gw_data_limits *limits; /* NULL: the defaults */
    const char *name;                    /* in errors, for gw_data_file_parse; NULL: "data" */
};

/* Evaluates `text`. `opts` may be NULL. err->path is "name:line"; err->id is one of data_syntax, data_failed (the chunk raised an error),
 * data_budget (instructions or time), data_memory, data_too_large, data_bad_value (what it returned is not data). */
int gw_data_file_parse(const char *text, size_t length, const struct gw_data_opts *opts, struct gw_data_file **out, struct gw_error *err);
/* Reads and evaluates the file at `path`, which is its name in errors; also the ids of gw_file_read. */
int gw_data_file_load(const char *path, const struct gw_data_opts *opts, struct gw_data_file **out, struct gw_error *err);
void gw_data_file_destroy(struct gw_data_file *file);

/* The returned table; borrowed, lives as long as the file or a reference of its own. */
struct gw_json *gw_data_file_value(const struct gw_data_file *file);
/* Writes "name:line" of the member at JSON pointer `pointer` (RFC 6901; "" is the whole), or of its closest parent that is written out in
 * the source. */
void gw_data_file_where(const struct gw_data_file *file, const char *pointer, char *out, size_t size);

#endif
