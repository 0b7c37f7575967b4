#include "base/metrics.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"

enum kind { COUNTER, GAUGE, HISTOGRAM };

#define BUCKET_COUNT 17

/* Upper bounds, in nanoseconds and as the exposition writes them. */
static const struct {
    uint64_t ns;
    const char *seconds;
} bounds[BUCKET_COUNT] = {
    {50000, "5e-05"},   {100000, "0.0001"}, {250000, "0.00025"}, {500000, "0.0005"}, {1000000, "0.001"},  {2500000, "0.0025"},
    {5000000, "0.005"}, {10000000, "0.01"}, {25000000, "0.025"}, {50000000, "0.05"}, {100000000, "0.1"},  {250000000, "0.25"},
    {500000000, "0.5"}, {1000000000, "1"},  {2500000000, "2.5"}, {5000000000, "5"},  {10000000000, "10"},
};

struct buckets {
    _Atomic uint64_t counts[BUCKET_COUNT + 1]; /* the last one is +Inf; not cumulative */
    _Atomic uint64_t sum_ns;
};

struct gw_metric {
    struct gw_metric *next;
    char *labels;
    struct buckets *buckets; /* histograms only */
    _Atomic int64_t value;
};

/* All series of one name: the format wants them together. */
struct family {
    struct family *next;
    char *name;
    char *help;
    enum kind kind;
    struct gw_metric *series;
};

struct gw_metrics {
    struct family *families;
};

struct gw_metrics *gw_metrics_create(void) { return gw_alloc(sizeof(struct gw_metrics)); }

static void destroy_family(struct family *family)
{
    while (family->series) {
        struct gw_metric *metric = family->series;
        family->series = metric->next;
        gw_free(metric->labels);
        gw_free(metric->buckets);
        gw_free(metric);
    }
    gw_free(family->name);
    gw_free(family->help);
    gw_free(family);
}

void gw_metrics_destroy(struct gw_metrics *metrics)
{
    if (!metrics)
        return;
    while (metrics->families) {
        struct family *family = metrics->families;
        metrics->families = family->next;
        destroy_family(family);
    }
    gw_free(metrics);
}

static struct family *find_family(struct gw_metrics *m, enum kind kind, const char *name, const char *help)
{
    struct family **at = &m->families;
    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    if (!*at) {
        *at = gw_alloc(sizeof **at);
        (*at)->name = gw_strdup(name);
        (*at)->help = gw_strdup(help);
        (*at)->kind = kind;
    }
    assert((*at)->kind == kind);
    return *at;
}

static struct gw_metric *find_metric(struct family *family, const char *labels)
{
    struct gw_metric **at = &family->series;
    while (*at && strcmp((*at)->labels, labels) != 0)
        at = &(*at)->next;
    if (!*at) {
        *at = gw_alloc(sizeof **at);
        (*at)->labels = gw_strdup(labels);
        if (family->kind == HISTOGRAM)
            (*at)->buckets = gw_alloc(sizeof *(*at)->buckets);
    }
    return *at;
}

struct gw_metric *gw_metrics_counter(struct gw_metrics *m, const char *name, const char *labels, const char *help)
{
    return find_metric(find_family(m, COUNTER, name, help), labels);
}

struct gw_metric *gw_metrics_gauge(struct gw_metrics *m, const char *name, const char *labels, const char *help)
{
    return find_metric(find_family(m, GAUGE, name, help), labels);
}

struct gw_metric *gw_metrics_histogram(struct gw_metrics *m, const char *name, const char *labels, const char *help)
{
    return find_metric(find_family(m, HISTOGRAM, name, help), labels);
}

void gw_metric_add(struct gw_metric *metric, int64_t delta) { atomic_fetch_add_explicit(&metric->value, delta, memory_order_relaxed); }

void gw_metric_set(struct gw_metric *metric, int64_t value) { atomic_store_explicit(&metric->value, value, memory_order_relaxed); }

int64_t gw_metric_value(const struct gw_metric *metric) { return atomic_load_explicit(&metric->value, memory_order_relaxed); }

void gw_metric_observe_ns(struct gw_metric *histogram, uint64_t nanoseconds)
{
    assert(histogram->buckets);
    size_t i = 0;
    while (i < BUCKET_COUNT && nanoseconds > bounds[i].ns)
        i++;
    atomic_fetch_add_explicit(&histogram->buckets->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->buckets->sum_ns, nanoseconds, memory_order_relaxed);
}

/* In help texts the format escapes the backslash and the line feed. */
static void render_help(const struct family *family, struct gw_buffer *out)
{
    gw_buffer_appendf(out, "# HELP %s ", family->name);
    for (const char *c = family->help; *c; c++) {
        if (*c == '\\' || *c == '\n')
            gw_buffer_append_char(out, '\\');
        gw_buffer_append_char(out, *c == '\n' ? 'n' : *c);
    }
    gw_buffer_append_char(out, '\n');
}

static void render_bucket(const struct family *family, const char *labels, const char *bound, uint64_t count, struct gw_buffer *out)
{
    gw_buffer_appendf(out, "%s_bucket{%s%sle=\"%s\"} ", family->name, labels, *labels ? "," : "", bound);
    gw_buffer_append_u64(out, count);
    gw_buffer_append_char(out, '\n');
}

static void render_name(const struct family *family, const char *suffix, const char *labels, struct gw_buffer *out)
{
    gw_buffer_append_text(out, family->name);
    gw_buffer_append_text(out, suffix);
    if (*labels)
        gw_buffer_appendf(out, "{%s}", labels);
    gw_buffer_append_char(out, ' ');
}

static void render_histogram(const struct family *family, const struct gw_metric *metric, struct gw_buffer *out)
{
    uint64_t total = 0;
    for (size_t i = 0; i <= BUCKET_COUNT; i++) {
        total += atomic_load_explicit(&metric->buckets->counts[i], memory_order_relaxed);
        render_bucket(family, metric->labels, i < BUCKET_COUNT ? bounds[i].seconds : "+Inf", total, out);
    }
    uint64_t sum_ns = atomic_load_explicit(&metric->buckets->sum_ns, memory_order_relaxed);
    render_name(family, "_sum", metric->labels, out);
    gw_buffer_appendf(out, "%llu.%09llu\n", (unsigned long long)(sum_ns / 1000000000), (unsigned long long)(sum_ns % 1000000000));
    render_name(family, "_count", metric->labels, out);
    gw_buffer_append_u64(out, total);
    gw_buffer_append_char(out, '\n');
}

static void render_number(const struct family *family, const struct gw_metric *metric, struct gw_buffer *out)
{
    render_name(family, "", metric->labels, out);
    gw_buffer_append_i64(out, gw_metric_value(metric));
    gw_buffer_append_char(out, '\n');
}

static void render_family(const struct family *family, struct gw_buffer *out)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    render_help(family, out);
    gw_buffer_appendf(out, "# TYPE %s %s\n", family->name, kinds[family->kind]);
    for (const struct gw_metric *metric = family->series; metric; metric = metric->next)
        (family->kind == HISTOGRAM ? render_histogram : render_number)(family, metric, out);
}

void gw_metrics_render(const struct gw_metrics *m, struct gw_buffer *out)
{
    for (const struct family *family = m->families; family; family = family->next)
        render_family(family, out);
}
