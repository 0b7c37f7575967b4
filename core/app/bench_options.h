/* bench_options.h — what one run of the load generator is asked to do. Pure values that borrow argv. */
#ifndef GW_APP_BENCH_OPTIONS_H
#define GW_APP_BENCH_OPTIONS_H

#include "app/client_options.h"

struct gw_error;

enum gw_bench_mode {
    GW_BENCH_LOAD,  /* publish and count what arrives; with --subs 0 the ingest test */
    GW_BENCH_IDLE,  /* hold streams open and weigh the server */
    GW_BENCH_RESUME /* publish, then connect everybody with an old Last-Event-ID */
};

/* value */
struct gw_bench_options {
    enum gw_bench_mode mode;
    const char *mode_name, *name;
    unsigned long subs, channels, connections, pipeline, window, messages, threads, sources;
    unsigned long size_bytes, frame_bytes, connects_in_flight, resume_events, resume_back;
    double rate, connect_rate, connect_timeout_s, settle_s, warmup_s, duration_s, drain_s;
    const char *sub_url, *pub_url, *pub_method, *pub_body, *setup_url, *setup_body;
    const char *bearers_path, *count_event, *pins, *json_path, *cursor_out_path, *cursor_in_path;
    struct gw_client_list sub_headers, pub_headers, server_pids;
};

/* Fills in the defaults and reads argv. GW_ECLOSED: the help was asked for and has been printed. */
int gw_bench_options_parse(int argc, char **argv, struct gw_bench_options *out, struct gw_error *err);

#endif
