#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "app/bench.h"
#include "app/cmd_check.h"
#include "app/cmd_check_config.h"
#include "app/cmd_diff.h"
#include "app/cmd_explain.h"
#include "app/cmd_policies.h"
#include "app/cmd_repl.h"
#include "app/cmd_test.h"
#include "app/cmd_token.h"
#include "app/cmd_version.h"
#include "app/replay.h"
#include "app/serve.h"
#include "app/suggest.h"
#include "base/printable.h"

struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv); /* argv[0] is the name; answers the exit code */
};

static const struct command commands[] = {
    {"serve", "run the gateway", gw_serve_main},
    {"token", "print a bearer for development", gw_token_main},
    {"check-config", "say what the configuration means, or what is wrong with it", gw_check_config_main},
    {"check", "look through policies and canvases for faults", gw_check_main},
    {"test", "run the specs of policies and canvases in the sandbox", gw_test_main},
    {"explain", "say why an actor may or may not see or do something", gw_explain_main},
    {"diff", "say who would gain and lose what under other policies", gw_diff_main},
    {"repl", "ask policies questions by hand", gw_repl_main},
    {"policies", "list the policies that a running gateway decides by", gw_policies_main},
    {"reload", "make a running gateway read its policies again", gw_reload_main},
    {"rollback", "switch a running gateway back to policies of before", gw_rollback_main},
    {"replay-trace", "type a recorded editing history into a running gateway", gw_replay_main},
    {"bench", "measure any server of Server-Sent Events", gw_bench_main},
    {"version", "print the version", gw_version_main},
};
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static void print_help(FILE *out)
{
    fputs("usage: atoms COMMAND [options]\n\n"
          "atoms is a realtime gateway for canvases that people and agents share: state streams down as Server-Sent Events,\n"
          "commands come up over HTTP. `atoms serve` starts one on http://127.0.0.1:8080 that needs nothing else.\n\n"
          "commands:\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-14s %s\n", commands[i].name, commands[i].summary);
    fputs("\n`atoms COMMAND --help` explains one.\n", out);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int refuse(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const char *known = commands[i].name;
        if (gw_suggest_distance(name, length, known, strlen(known)) > gw_suggest_limit(length))
            continue;
        fprintf(stderr, "atoms: there is no command \"%s\"; did you mean %s?\n", gw_printable(name).text, known);
        return 2;
    }
    fprintf(stderr, "atoms: there is no command \"%s\"; `atoms --help` lists them\n", gw_printable(name).text);
    return 2;
}

static int explain(char *name)
{
    char help[] = "--help";
    char *arguments[] = {name, help, NULL};
    const struct command *command = find(name);
    return command != NULL ? command->run(2, arguments) : refuse(name);
}

/* Output that did not get where it was sent, to a disk that is full, is no success. */
static int end(int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "atoms: the output could not be written%s%s\n", errno ? ": " : "", errno ? strerror(errno) : "");
    return code ? code : 1;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    const char *name = argv[1];
    bool wants_help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0;
    if (wants_help && argc > 2)
        return end(explain(argv[2]));
    if (wants_help) {
        print_help(stdout);
        return end(0);
    }
    const struct command *command = find(strcmp(name, "--version") == 0 ? "version" : name);
    return command != NULL ? end(command->run(argc - 1, argv + 1)) : refuse(name);
}
