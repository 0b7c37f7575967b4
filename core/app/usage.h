/* usage.h — the command line of a subcommand: its help and its options, from one table. Prints on stdout what was asked for and on stderr
 * what went wrong. */
#ifndef GW_APP_USAGE_H
#define GW_APP_USAGE_H

#include "app/client_options.h"

/* value */
struct gw_usage {
    const char *name;     /* "token" */
    const char *synopsis; /* "--tenant T --actor A [--ttl S]" */
    const char *about;    /* sentences for a newcomer, lines ended by newlines */
    const struct gw_client_option *options;
    const char *example; /* lines, or NULL */
};

enum gw_usage_answer {
    GW_USAGE_GO,   /* the options are read */
    GW_USAGE_HELP, /* the help is printed: exit with 0 */
    GW_USAGE_WRONG /* the mistake is printed: exit with 2 */
};

/* Reads argv[1…]; words that are not options are refused. */
enum gw_usage_answer gw_usage_read(const struct gw_usage *usage, int argc, char **argv);
/* The same, and the words go to `words`. */
enum gw_usage_answer gw_usage_read_words(const struct gw_usage *usage, int argc, char **argv, struct gw_client_list *words);
/* The same of a command about one folder, which stands before, between or behind the options, or is the value of one of these, which then is in *word already. */
enum gw_usage_answer gw_usage_read_word(const struct gw_usage *usage, int argc, char **argv, const char **word);
/* Prints one line about a mistake on stderr and points to the help; answers 2, the exit code. */
int gw_usage_refuse(const struct gw_usage *usage, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
