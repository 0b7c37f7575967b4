#include "app/bench_options.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

static const char usage[] =
    "atoms bench [options]: load on any server of Server-Sent Events\n\n"
    "Subscriber i listens on channel i % channels. URLs, headers and bodies are templates: {i} subscriber, {ch} channel, {p} publishing\n"
    "connection, {seq} {ts} of the message, {payload}, {unique} a fresh id, {bearer} line i of --bearers.\n\n"
    "  atoms bench --subs 1000 --sub-url http://127.0.0.1:8080/sub/{ch} --pub-url http://127.0.0.1:8080/pub/{ch} --rate 20\n\n";

static void set_defaults(struct gw_bench_options *o)
{
    *o = (struct gw_bench_options){.mode_name = "load", .name = "", .channels = 1, .connections = 1, .pipeline = 1, .threads = 1};
    o->sources = 1;
    o->size_bytes = 300;
    o->connects_in_flight = 200;
    o->connect_rate = 20000;
    o->connect_timeout_s = 60;
    o->settle_s = 1;
    o->warmup_s = 1;
    o->duration_s = 5;
    o->drain_s = 10;
    o->resume_events = 1900;
    o->resume_back = 1000;
    o->pub_method = "POST";
    o->pub_body = "{payload}";
}

static int parse_mode(struct gw_bench_options *o, struct gw_error *err)
{
    static const char *const names[] = {[GW_BENCH_LOAD] = "load", [GW_BENCH_IDLE] = "idle", [GW_BENCH_RESUME] = "resume"};
    for (int i = GW_BENCH_LOAD; i <= GW_BENCH_RESUME; i++) {
        if (strcmp(o->mode_name, names[i]) == 0) {
            o->mode = (enum gw_bench_mode)i;
            return GW_OK;
        }
    }
    return gw_error_set(err, GW_EINVAL, "option_value", "--mode is load, idle or resume");
}

static int check(const struct gw_bench_options *o, struct gw_error *err)
{
    bool publishes = o->mode != GW_BENCH_IDLE && o->cursor_in_path == NULL;
    if (o->subs > 0 && o->sub_url == NULL) {
        return gw_error_set(err, GW_EINVAL, "option_value", "--subs wants --sub-url");
    }
    if (publishes && o->pub_url == NULL) {
        return gw_error_set(err, GW_EINVAL, "option_value", "this mode wants --pub-url");
    }
    if (o->channels < 1 || o->connections < 1 || o->pipeline < 1 || o->threads < 1 || o->sources < 1) {
        return gw_error_set(err, GW_EINVAL, "option_value",
                            "--channels, --connections, --pipeline, --threads and --sources are at least 1");
    }
    if (o->channels > 99999 || o->connections > 9999 || o->pipeline > 65536 || o->size_bytes > 1u << 20 || o->threads > 64) {
        return gw_error_set(err, GW_EINVAL, "option_value", "beyond what one generator does: see --help");
    }
    if (o->mode == GW_BENCH_RESUME && (o->resume_back >= o->resume_events || o->connections > o->channels)) {
        return gw_error_set(err, GW_EINVAL, "option_value",
                            "resume wants --resume-back below --resume-events and at most one connection a channel");
    }
    return GW_OK;
}

int gw_bench_options_parse(int argc, char **argv, struct gw_bench_options *o, struct gw_error *err)
{
    const struct gw_client_option table[] = {
        {"--mode", GW_OPTION_TEXT, &o->mode_name, "load|idle|resume; load with --subs 0 measures ingest"},
        {"--name", GW_OPTION_TEXT, &o->name, "TEXT  label in the output"},
        {"--subs", GW_OPTION_COUNT, &o->subs, "N  subscribers"},
        {"--channels", GW_OPTION_COUNT, &o->channels, "C  channels (1)"},
        {"--sub-url", GW_OPTION_TEXT, &o->sub_url, "URL  template of the stream"},
        {"--sub-header", GW_OPTION_LIST, &o->sub_headers, "TEXT  template \"Name: value\"; repeatable"},
        {"--pub-url", GW_OPTION_TEXT, &o->pub_url, "URL  template of the publishing request"},
        {"--pub-method", GW_OPTION_TEXT, &o->pub_method, "WORD  (POST)"},
        {"--pub-header", GW_OPTION_LIST, &o->pub_headers, "TEXT  template \"Name: value\"; repeatable"},
        {"--pub-body", GW_OPTION_TEXT, &o->pub_body, "TEXT  template ({payload})"},
        {"--setup-url", GW_OPTION_TEXT, &o->setup_url, "URL  template of one request per channel beforehand (--pub-url)"},
        {"--setup-body", GW_OPTION_TEXT, &o->setup_body, "TEXT  template of its body; without it there is no such request"},
        {"--bearers", GW_OPTION_TEXT, &o->bearers_path, "FILE  one bearer a line, dealt out in turn"},
        {"--count-event", GW_OPTION_TEXT, &o->count_event, "TYPE  count only frames of this event type"},
        {"--size", GW_OPTION_COUNT, &o->size_bytes, "B  payload bytes (300)"},
        {"--frame-bytes", GW_OPTION_COUNT, &o->frame_bytes, "B  choose the payload so that a whole frame has B bytes"},
        {"--rate", GW_OPTION_REAL, &o->rate, "R  open loop at R messages/s; delay counts from the intended time (0: closed loop)"},
        {"--connections", GW_OPTION_COUNT, &o->connections, "P  publishing connections (1)"},
        {"--pipeline", GW_OPTION_COUNT, &o->pipeline, "D  requests in flight on each (1)"},
        {"--window", GW_OPTION_COUNT, &o->window, "W  closed loop: at most W messages' worth of deliveries outstanding (0: any)"},
        {"--messages", GW_OPTION_COUNT, &o->messages, "M  stop after M messages (0: by time)"},
        {"--duration", GW_OPTION_REAL, &o->duration_s, "S  measured time (5)"},
        {"--warmup", GW_OPTION_REAL, &o->warmup_s, "S  before it (1)"},
        {"--settle", GW_OPTION_REAL, &o->settle_s, "S  after connecting (1)"},
        {"--drain", GW_OPTION_REAL, &o->drain_s, "S  longest wait for what is still due (10)"},
        {"--connect-rate", GW_OPTION_REAL, &o->connect_rate, "R  connects/s (20000)"},
        {"--connect-flight", GW_OPTION_COUNT, &o->connects_in_flight, "K  connects without an answer yet (200)"},
        {"--connect-timeout", GW_OPTION_REAL, &o->connect_timeout_s, "S  (60); also the longest catch-up"},
        {"--sources", GW_OPTION_COUNT, &o->sources, "A  source addresses 127.0.0.1 … to spread the streams over (1)"},
        {"--threads", GW_OPTION_COUNT, &o->threads, "T  reading threads; the first one also publishes (1)"},
        {"--pin", GW_OPTION_TEXT, &o->pins, "CPU[,CPU…]  thread t runs on the t-th of these"},
        {"--server-pid", GW_OPTION_LIST, &o->server_pids, "PID  weigh this process and those below it; repeatable"},
        {"--resume-events", GW_OPTION_COUNT, &o->resume_events, "M  resume: events published (1900)"},
        {"--resume-back", GW_OPTION_COUNT, &o->resume_back, "B  resume: how many each stream has to catch up (1000)"},
        {"--cursor-out", GW_OPTION_TEXT, &o->cursor_out_path, "FILE  resume: publish, write the cursors there and stop"},
        {"--cursor-in", GW_OPTION_TEXT, &o->cursor_in_path, "FILE  resume: take the cursors from there, publish nothing"},
        {"--json", GW_OPTION_TEXT, &o->json_path, "FILE  the result as one JSON object (- is standard output)"},
        {NULL, GW_OPTION_FLAG, NULL, NULL},
    };
    set_defaults(o);
    int rc = gw_client_options_parse(table, argc, argv, NULL, err);
    if (rc == GW_ECLOSED) {
        fputs(usage, stdout);
        gw_client_options_help(table);
    }
    if (rc != GW_OK) {
        return rc;
    }
    rc = parse_mode(o, err);
    return rc != GW_OK ? rc : check(o, err);
}
