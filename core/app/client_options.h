/* client_options.h — command-line options of the client tools, as a table: one row names an option, its kind, where its value goes and what
 * it means; parsing and --help both read the table. Pure; values borrow argv. */
#ifndef GW_APP_CLIENT_OPTIONS_H
#define GW_APP_CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct gw_error;

#define GW_CLIENT_LIST_MAX 16

/* value: an option that may be given more than once */
struct gw_client_list {
    const char *items[GW_CLIENT_LIST_MAX];
    size_t count;
};

enum gw_client_option_kind {
    GW_OPTION_FLAG,  /* bool */
    GW_OPTION_COUNT, /* unsigned long, decimal */
    GW_OPTION_REAL,  /* double, not negative */
    GW_OPTION_TEXT,  /* const char * */
    GW_OPTION_LIST   /* struct gw_client_list */
};

/* value; a table ends with a NULL name */
struct gw_client_option {
    const char *name; /* "--subs" */
    enum gw_client_option_kind kind;
    void *target;
    const char *help; /* "N  how many subscribers" */
};

/* Reads argv[1…]. Words that are not options go to `rest` (may be NULL: then they are refused). Errors: option_unknown, option_value, each
 * with the option in err->path. "--help" answers GW_ECLOSED after printing nothing: print the help and stop. */
int gw_client_options_parse(const struct gw_client_option *table, int argc, char **argv, struct gw_client_list *rest, struct gw_error *err);
void gw_client_options_help(const struct gw_client_option *table);

#endif
