#include "app/serve.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/client.h"
#include "app/config.h"
#include "app/process.h"
#include "app/usage.h"
#include "app/version.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/printable.h"

/* What to do about it, where the message alone leaves a newcomer there. */
static const char *hint_of(const struct gw_error *err)
{
    static const struct {
        const char *id, *hint;
    } hints[] = {
        {"listen_failed",
         "end what listens there, or choose other addresses: ATOMS_LISTEN and ATOMS_ADMIN_LISTEN, or listen and admin_listen"},
        {"spine_locked", "a gateway runs on this folder: end it, or choose another one by ATOMS_DATA_DIR or data_dir"},
        {"no_real_driver", "serve mode dev alone, by ATOMS_MODES or modes"},
        {"data_syntax", "the file is a Lua table; `atoms check-config --shipped` prints one to start from"},
        {"data_failed", "the file is data: env(\"NAME\", default) is all that it can call"},
    };
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        if (strcmp(hints[i].id, err->id) == 0 && strncmp(err->path, "environment ", 12) != 0)
            return hints[i].hint;
    return NULL;
}

static void print_error(const struct gw_error *err)
{
    const char *hint = hint_of(err);
    fprintf(stderr, "atoms: %s%s%s (%s)\n", gw_printable(err->path).text, err->path[0] ? ": " : "", gw_printable(err->message).text,
            err->id);
    if (hint)
        fprintf(stderr, "hint: %s\n", hint);
}

static int load(const char *file, struct gw_config *config, struct gw_error *err)
{
    char root[4096];
    struct gw_config_world world = gw_config_world_system(root, sizeof root);
    int status = gw_config_load(file, &world, config, err);
    if (status)
        return status;
    status = gw_config_check(config, err);
    if (!status)
        status = gw_config_ensure_secrets(config, gw_clock_system(), err);
    if (status)
        gw_config_fini(config);
    return status;
}

static void announce(const struct gw_config *config, const struct gw_process *process)
{
    char host[GW_ADDRESS_TEXT_MAX], admin[GW_ADDRESS_TEXT_MAX];
    gw_address_format_host(&config->listen, host);
    gw_address_format_host(&config->admin_listen, admin);
    printf("atoms %s ready on %s://%s:%u (admin http://%s:%u)\n", GW_VERSION, config->tls.cert[0] ? "https" : "http", host,
           gw_process_port(process, false), admin, gw_process_port(process, true));
    fflush(stdout);
}

/* Beside connections: listeners, spine, loops, and room for a few more. */
#define FILES_BESIDE 64

/* A connection that finds no descriptor is closed without a word; one over max_connections is told why. */
static void make_room_for_files(const struct gw_config *config)
{
    uint64_t allowed = gw_client_raise_file_limit(), wanted = (uint64_t)config->limits.max_connections + FILES_BESIDE;
    if (allowed < wanted)
        fprintf(stderr,
                "atoms: this process may open %llu files, and limits.max_connections needs %llu: raise `ulimit -n` or lower the limit\n",
                (unsigned long long)allowed, (unsigned long long)wanted);
}

/* Every thread has these blocked; this one takes them in turn. */
static void await_end(struct gw_process *process, const sigset_t *signals)
{
    int signal = 0;
    while (sigwait(signals, &signal) == 0 && signal == SIGHUP)
        gw_process_reload(process);
}

static int run(const struct gw_config *config)
{
    struct gw_process *process;
    struct gw_error err;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    make_room_for_files(config);
    if (gw_process_start(config, &process, &err)) {
        print_error(&err);
        return 1;
    }
    announce(config, process);
    await_end(process, &signals);
    if (!gw_process_drain(process)) {
        fprintf(stderr, "atoms: the shutdown did not end in time; what was acknowledged is durable\n");
        fflush(NULL);
        _exit(1); /* threads still use what a teardown would free */
    }
    gw_process_destroy(process);
    return 0;
}

int gw_serve_main(int argc, char **argv)
{
    const char *file = NULL;
    const struct gw_client_option options[] = {
        {"--config", GW_OPTION_TEXT, &file, "FILE  a Lua table of process settings; without it the shipped configuration is used"},
        {0},
    };
    const struct gw_usage usage = {
        .name = "serve",
        .synopsis = "[--config FILE]",
        .about = "Starts the gateway. Without a file it reads ATOMS_LISTEN, ATOMS_DATA_DIR and the other variables that\n"
                 "`atoms check-config` lists, keeps its data in an embedded database, and prints one line when it is ready.\n"
                 "SIGTERM and SIGINT end it in order; SIGHUP reads certificate, registry, keys, policies and canvases again.\n",
        .options = options,
        .example = "  atoms serve\n  ATOMS_LISTEN=127.0.0.1:9000 atoms serve\n"};
    struct gw_config config;
    struct gw_error err;
    enum gw_usage_answer answer = gw_usage_read(&usage, argc, argv);
    if (answer != GW_USAGE_GO)
        return answer == GW_USAGE_HELP ? 0 : 2;
    if (load(file, &config, &err)) {
        print_error(&err);
        return 1;
    }
    int code = run(&config);
    gw_config_fini(&config);
    return code;
}
