#include "app/bench_report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"

bool gw_bench_outcome_is_exact(const struct gw_bench_outcome *o)
{
    const struct gw_bench_counts *c = &o->fleet.counts;
    const struct gw_bench_progress *p = &o->fleet.progress;
    uint64_t wrong = c->order.missing + c->order.duplicates + c->order.reordered + c->missing_tail + c->foreign + c->divergent;
    uint64_t refused = p->refused + p->lost + o->published.refused + o->published.reconnects;
    bool is_complete = o->options->mode != GW_BENCH_RESUME || o->fleet.exact_streams == o->options->subs;
    return wrong == 0 && refused == 0 && p->opened == o->options->subs && is_complete;
}

static double per(double amount, double count) { return count > 0 ? amount / count : 0; }

static double rss_per_stream(const struct gw_bench_outcome *o)
{
    double grown = (double)o->rss_connected - (double)o->rss_before;
    return per(grown, (double)o->fleet.progress.opened);
}

static void print_flow(const struct gw_bench_outcome *o)
{
    const struct gw_bench_histogram *delay = &o->fleet.delay;
    fprintf(stderr, " %.0f deliveries/s, delay p50 %.2f p99 %.2f p99.9 %.2f max %.2f ms, %.1f frames a read, %llu-byte frames;",
            per((double)o->deliveries, o->measured_s), gw_bench_histogram_quantile_ms(delay, 0.5),
            gw_bench_histogram_quantile_ms(delay, 0.99), gw_bench_histogram_quantile_ms(delay, 0.999), (double)delay->max_ns / 1e6,
            per((double)o->deliveries, (double)o->reads), (unsigned long long)o->fleet.progress.frame_bytes);
}

static void print_acks(const struct gw_bench_outcome *o)
{
    fprintf(stderr, " %.0f messages/s, ack p50 %.2f p99 %.2f ms;", per((double)o->answers, o->measured_s),
            gw_bench_histogram_quantile_ms(o->acks, 0.5), gw_bench_histogram_quantile_ms(o->acks, 0.99));
}

static void print_wrong(const struct gw_bench_outcome *o)
{
    const struct gw_bench_counts *c = &o->fleet.counts;
    const char *error = c->first_error[0] != '\0' ? c->first_error : o->publish_error;
    fprintf(stderr,
            " gaps %llu, tail %llu, duplicates %llu, reordered %llu, foreign %llu, divergent %llu, refused %llu + %llu, lost %llu%s%s\n",
            (unsigned long long)c->order.missing, (unsigned long long)c->missing_tail, (unsigned long long)c->order.duplicates,
            (unsigned long long)c->order.reordered, (unsigned long long)c->foreign, (unsigned long long)c->divergent,
            (unsigned long long)o->fleet.progress.refused, (unsigned long long)o->published.refused,
            (unsigned long long)o->fleet.progress.lost, error[0] != '\0' ? "; first: " : "", error);
}

void gw_bench_report_line(const struct gw_bench_outcome *o)
{
    fprintf(stderr, "[%s] %llu streams;", o->options->name, (unsigned long long)o->fleet.progress.opened);
    if (o->options->mode == GW_BENCH_IDLE) {
        fprintf(stderr, " %.0f bytes of server memory a stream, connected in %.2f s;", rss_per_stream(o), o->connect_s);
    } else if (o->options->mode == GW_BENCH_RESUME) {
        fprintf(stderr, " %.0f events/s replayed, all in %.3f s, exact %llu;", per((double)o->deliveries, o->measured_s), o->measured_s,
                (unsigned long long)o->fleet.exact_streams);
    } else if (o->options->subs > 0) {
        print_flow(o);
    }
    if (o->acks != NULL && o->options->mode == GW_BENCH_LOAD) {
        print_acks(o);
    }
    fprintf(stderr, " cpu: server %.2f generator %.2f;", per(o->server_cpu_s, o->measured_s), per(o->own_cpu_s, o->measured_s));
    if (gw_bench_outcome_is_exact(o)) {
        fputs(" exact\n", stderr);
    } else {
        print_wrong(o);
    }
}

static void put_count(struct gw_buffer *out, const char *name, uint64_t value)
{
    gw_buffer_appendf(out, ",\"%s\":%llu", name, (unsigned long long)value);
}

static void put_real(struct gw_buffer *out, const char *name, double value) { gw_buffer_appendf(out, ",\"%s\":%.6g", name, value); }

static void put_text(struct gw_buffer *out, const char *name, const char *value)
{
    gw_buffer_appendf(out, ",\"%s\":", name);
    /* An error sample may hold a peer's bytes: keep to ASCII, which any JSON reader takes. */
    gw_buffer_append_char(out, '"');
    for (const char *p = value; *p != '\0'; p++) {
        bool is_plain = *p >= ' ' && *p <= '~' && *p != '"' && *p != '\\';
        gw_buffer_append_char(out, is_plain ? *p : '\'');
    }
    gw_buffer_append_char(out, '"');
}

static void put_histogram(struct gw_buffer *out, const char *name, const struct gw_bench_histogram *h)
{
    gw_buffer_appendf(out, ",\"%s\":{\"count\":%llu,\"p50\":%.4f,\"p90\":%.4f,\"p99\":%.4f,\"p999\":%.4f,\"max\":%.4f}", name,
                      (unsigned long long)h->count, gw_bench_histogram_quantile_ms(h, 0.5), gw_bench_histogram_quantile_ms(h, 0.9),
                      gw_bench_histogram_quantile_ms(h, 0.99), gw_bench_histogram_quantile_ms(h, 0.999), (double)h->max_ns / 1e6);
}

static void put_counts(struct gw_buffer *out, const struct gw_bench_outcome *o)
{
    const struct gw_bench_counts *c = &o->fleet.counts;
    put_count(out, "missing_gap", c->order.missing);
    put_count(out, "missing_tail", c->missing_tail);
    put_count(out, "duplicates", c->order.duplicates);
    put_count(out, "reordered", c->order.reordered);
    put_count(out, "foreign", c->foreign);
    put_count(out, "divergent", c->divergent);
    put_count(out, "other_frames", c->other_frames);
    gw_buffer_appendf(out, ",\"verdicts\":{\"exact\":%llu,\"reset\":%llu,\"fresh\":%llu,\"retry\":%llu}",
                      (unsigned long long)c->verdicts[GW_BENCH_EXACT], (unsigned long long)c->verdicts[GW_BENCH_RESET],
                      (unsigned long long)c->verdicts[GW_BENCH_FRESH], (unsigned long long)c->verdicts[GW_BENCH_RETRY]);
    put_text(out, "first_error", c->first_error[0] != '\0' ? c->first_error : o->publish_error);
}

static void put_rates(struct gw_buffer *out, const struct gw_bench_outcome *o)
{
    put_real(out, "measured_s", o->measured_s);
    put_count(out, "deliveries", o->deliveries);
    put_real(out, "deliveries_per_s", per((double)o->deliveries, o->measured_s));
    put_real(out, "bytes_per_s", per((double)o->bytes, o->measured_s));
    put_real(out, "frames_per_read", per((double)o->deliveries, (double)o->reads));
    put_real(out, "messages_per_s", per((double)o->answers, o->measured_s));
    put_real(out, "server_cpu_s", o->server_cpu_s);
    put_real(out, "server_cpu_us_per_delivery", per(o->server_cpu_s * 1e6, (double)o->deliveries));
    put_real(out, "server_cpu_us_per_message", per(o->server_cpu_s * 1e6, (double)o->answers));
    put_real(out, "generator_cores", per(o->own_cpu_s, o->measured_s));
}

static void put_outcome(struct gw_buffer *out, const struct gw_bench_outcome *o)
{
    const struct gw_bench_progress *p = &o->fleet.progress;
    gw_buffer_appendf(out, "{\"is_exact\":%s", gw_bench_outcome_is_exact(o) ? "true" : "false");
    put_text(out, "name", o->options->name);
    put_text(out, "mode", o->options->mode_name);
    put_count(out, "subs", o->options->subs);
    put_count(out, "channels", o->options->channels);
    put_count(out, "opened", p->opened);
    put_count(out, "refused_streams", p->refused);
    put_count(out, "lost_streams", p->lost);
    put_count(out, "payload_bytes", o->payload_bytes);
    put_count(out, "frame_bytes", p->frame_bytes);
    put_count(out, "published", o->published.issued);
    put_count(out, "answered", o->published.answered);
    put_count(out, "refused_messages", o->published.refused);
    put_count(out, "reconnects", o->published.reconnects);
    put_count(out, "delivered_total", p->delivered);
    put_rates(out, o);
    put_histogram(out, "delay_ms", &o->fleet.delay);
    if (o->acks != NULL) {
        put_histogram(out, "ack_ms", o->acks);
    }
    put_counts(out, o);
    put_count(out, "rss_before", o->rss_before);
    put_count(out, "rss_connected", o->rss_connected);
    put_count(out, "rss_after", o->rss_after);
    put_real(out, "rss_per_stream", rss_per_stream(o));
    put_real(out, "connect_s", o->connect_s);
    put_histogram(out, "connect_ms", &o->fleet.connect);
    put_histogram(out, "catch_up_ms", &o->fleet.catch_up);
    put_count(out, "exact_streams", o->fleet.exact_streams);
    gw_buffer_append_text(out, "}\n");
}

int gw_bench_report_json(const struct gw_bench_outcome *o, const char *path, struct gw_error *err)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    put_outcome(&text, o);
    bool is_stdout = strcmp(path, "-") == 0;
    FILE *file = is_stdout ? stdout : fopen(path, "a");
    bool is_written = file != NULL && fwrite(text.data, 1, text.length, file) == text.length && fflush(file) == 0;
    int reason = errno;
    if (file != NULL && !is_stdout) {
        fclose(file);
    }
    gw_buffer_fini(&text);
    return is_written ? GW_OK : gw_error_set(err, GW_EIO, "file_unwritable", "%s: %s", path, strerror(reason));
}
