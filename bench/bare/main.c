/* bench_bare — the least that a server of Server-Sent Events can do, as a floor for real ones:
 *   write     each event goes to each subscriber in a send(2) of its own, at once
 *   coalesce  the events of one epoll round are collected, then each subscriber gets what it lacks in one send(2)
 * with --sync each round's events are first written to a file and fdatasync'd, and only then acknowledged and fanned out. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/client.h"
#include "app/client_options.h"
#include "bare.h"
#include "base/alloc.h"
#include "base/error.h"

enum { EVENTS_A_ROUND = 512 };

static int check(struct bare_settings *s, struct gw_error *err)
{
    static const char *const faults[] = {[BARE_NO_FAULT] = "none", [BARE_DROP] = "drop", [BARE_DOUBLE] = "double", [BARE_SWAP] = "swap"};
    int fault = BARE_NO_FAULT;
    while (fault <= BARE_SWAP && strcmp(faults[fault], s->fault_name) != 0) {
        fault++;
    }
    s->fault = (enum bare_fault)fault;
    s->is_coalescing = strcmp(s->mode, "coalesce") == 0;
    s->is_ingest_only = strcmp(s->subs, "none") == 0;
    bool is_mode = s->is_coalescing || strcmp(s->mode, "write") == 0;
    if (!is_mode || fault > BARE_SWAP || s->fault_every == 0 || s->log_kilobytes == 0 || s->delay_ms > 999) {
        return gw_error_set(err, GW_EINVAL, "option_value",
                            "--mode write|coalesce, --fault none|drop|double|swap, --every and --log-kb above 0");
    }
    return GW_OK;
}

static int parse(int argc, char **argv, struct bare_settings *s, struct gw_error *err)
{
    const struct gw_client_option table[] = {
        {"--port", GW_OPTION_COUNT, &s->port, "P  on 127.0.0.1 (9000)"},
        {"--mode", GW_OPTION_TEXT, &s->mode, "write|coalesce (write)"},
        {"--sync", GW_OPTION_TEXT, &s->sync_path, "FILE  make each round durable there first"},
        {"--subs", GW_OPTION_TEXT, &s->subs, "none  take messages and keep nothing: an ingest loop"},
        {"--log-kb", GW_OPTION_COUNT, &s->log_kilobytes, "K  bytes kept per channel (4096)"},
        {"--chunked", GW_OPTION_FLAG, &s->is_chunked, "frame streams by chunks"},
        {"--split", GW_OPTION_FLAG, &s->is_split, "send in random pieces of 1 to 97 bytes"},
        {"--delay-ms", GW_OPTION_COUNT, &s->delay_ms, "D  hold each event that long"},
        {"--fault", GW_OPTION_TEXT, &s->fault_name, "drop|double|swap  wrong the first subscriber of each channel"},
        {"--every", GW_OPTION_COUNT, &s->fault_every, "N  at every N-th event (10)"},
        {"--probe-sync", GW_OPTION_TEXT, &s->probe_path, "FILE  serve nothing; time lone fdatasyncs and print JSON"},
        {"--probe-bytes", GW_OPTION_COUNT, &s->probe_bytes, "B  written before each (600)"},
        {"--probe-count", GW_OPTION_COUNT, &s->probe_count, "N  how many (100)"},
        {"--probe-rate", GW_OPTION_REAL, &s->probe_rate, "R  a second (20)"},
        {NULL, GW_OPTION_FLAG, NULL, NULL},
    };
    *s = (struct bare_settings){.port = 9000, .log_kilobytes = 4096, .probe_count = 100, .probe_bytes = 600, .fault_every = 10};
    s->probe_rate = 20;
    s->mode = "write";
    s->subs = "any";
    s->fault_name = "none";
    int rc = gw_client_options_parse(table, argc, argv, NULL, err);
    if (rc == GW_ECLOSED) {
        puts("bench_bare [options]: GET …/<channel> subscribes, POST …/<channel> publishes\n");
        gw_client_options_help(table);
    }
    return rc == GW_OK ? check(s, err) : rc;
}

static int start_listening(struct bare_server *server, struct gw_error *err)
{
    int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)server->settings.port)};
    struct epoll_event event = {.events = EPOLLIN};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    event.data.fd = server->listener;
    if (bind(server->listener, (const struct sockaddr *)&address, sizeof address) != 0 || listen(server->listener, 4096) != 0 ||
        epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listener, &event) != 0) {
        return gw_error_set(err, GW_EIO, "listen_failed", "port %lu: %s", server->settings.port, strerror(errno));
    }
    return GW_OK;
}

static int init(struct bare_server *server, struct gw_error *err)
{
    server->conn_limit = (size_t)gw_client_raise_file_limit();
    server->conns = gw_alloc_array(server->conn_limit, sizeof server->conns[0]);
    server->answering = gw_alloc_array(server->conn_limit, sizeof server->answering[0]);
    server->channels = gw_alloc_array(BARE_CHANNELS, sizeof server->channels[0]);
    server->dirty = gw_alloc_array(BARE_CHANNELS, sizeof server->dirty[0]);
    gw_buffer_init(&server->group, 0);
    gw_buffer_init(&server->frame, 0);
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->settings.sync_path != NULL) {
        bare_disk_open(&server->disk, server->settings.sync_path);
    }
    return start_listening(server, err);
}

static void serve(struct bare_server *server)
{
    struct epoll_event events[EVENTS_A_ROUND];
    for (;;) {
        int count = epoll_wait(server->epoll, events, EVENTS_A_ROUND, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == server->listener) {
                bare_conn_accept(server);
            } else if (server->conns[fd] != NULL) {
                bare_conn_on_event(server, server->conns[fd], events[i].events);
            }
        }
        bare_round_end(server);
    }
}

int main(int argc, char **argv)
{
    struct bare_server *server = gw_alloc(sizeof *server);
    struct gw_error err = {0};
    int rc = parse(argc, argv, &server->settings, &err);
    if (rc == GW_ECLOSED) {
        return 0;
    }
    if (rc == GW_OK && server->settings.probe_path != NULL) {
        bare_disk_probe(server->settings.probe_path, server->settings.probe_bytes, server->settings.probe_count,
                        server->settings.probe_rate);
        return 0;
    }
    rc = rc == GW_OK ? init(server, &err) : rc;
    if (rc != GW_OK) {
        fprintf(stderr, "bench_bare: %s\n", err.message);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    serve(server);
}
