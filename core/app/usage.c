#include "app/usage.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/suggest.h"
#include "base/error.h"
#include "base/printable.h"

static void print_help(const struct gw_usage *usage)
{
    printf("usage: atoms %s%s%s\n\n%s", usage->name, usage->synopsis[0] ? " " : "", usage->synopsis, usage->about);
    if (usage->options[0].name != NULL)
        printf("\noptions:\n");
    gw_client_options_help(usage->options);
    if (usage->example != NULL)
        printf("\nexample:\n%s", usage->example);
}

static const char *closest_option(const struct gw_usage *usage, const char *given)
{
    for (const struct gw_client_option *option = usage->options; option->name != NULL; option++) {
        size_t length = strlen(option->name);
        if (gw_suggest_distance(given, strlen(given), option->name, length) <= gw_suggest_limit(length))
            return option->name;
    }
    return NULL;
}

int gw_usage_refuse(const struct gw_usage *usage, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "atoms %s: ", usage->name);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\ntry: atoms %s --help\n", usage->name);
    va_end(args);
    return 2;
}

enum gw_usage_answer gw_usage_read(const struct gw_usage *usage, int argc, char **argv)
{
    return gw_usage_read_words(usage, argc, argv, NULL);
}

enum gw_usage_answer gw_usage_read_words(const struct gw_usage *usage, int argc, char **argv, struct gw_client_list *words)
{
    struct gw_error err;
    int rc = argc > 1 && strcmp(argv[1], "-h") == 0 ? GW_ECLOSED : gw_client_options_parse(usage->options, argc, argv, words, &err);
    if (rc == GW_OK)
        return GW_USAGE_GO;
    if (rc == GW_ECLOSED) {
        print_help(usage);
        return GW_USAGE_HELP;
    }
    const char *near = strcmp(err.id, "option_unknown") == 0 ? closest_option(usage, err.path) : NULL;
    if (near != NULL)
        gw_usage_refuse(usage, "%s is no option; did you mean %s?", gw_printable(err.path).text, near);
    else
        gw_usage_refuse(usage, "%s", gw_printable(err.message).text);
    return GW_USAGE_WRONG;
}

enum gw_usage_answer gw_usage_read_word(const struct gw_usage *usage, int argc, char **argv, const char **word)
{
    struct gw_client_list words = {0};
    enum gw_usage_answer answer = gw_usage_read_words(usage, argc, argv, &words);
    if (answer != GW_USAGE_GO || words.count == 0)
        return answer;
    const char *last = words.items[words.count - 1];
    if (words.items[0][0] == '-')
        gw_usage_refuse(usage, "%s: unknown; --help lists what there is", gw_printable(words.items[0]).text);
    else if (words.count > 1 || *word)
        gw_usage_refuse(usage, "%s: one folder at a time", gw_printable(last).text);
    else
        *word = last;
    return *word == last ? GW_USAGE_GO : GW_USAGE_WRONG;
}
