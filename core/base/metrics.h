/* metrics.h — counters, gauges and histograms in Prometheus text exposition format 0.0.4. A metric is registered at start-up by the wiring
 * thread; updates are relaxed atomics from any thread; rendering may run on any thread. Label sets are fixed at registration: no label is
 * ever chosen by a peer, so cardinality is bounded. */
#ifndef GW_BASE_METRICS_H
#define GW_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct gw_buffer;
struct gw_metrics;
struct gw_metric; /* one time series (counter or gauge) or one histogram */

struct gw_metrics *gw_metrics_create(void);
void gw_metrics_destroy(struct gw_metrics *metrics);
/* `labels` is "" or ready text: `status="exact"`. Registering the same name and labels again returns the same metric. */
struct gw_metric *gw_metrics_counter(struct gw_metrics *m, const char *name, const char *labels, const char *help);
struct gw_metric *gw_metrics_gauge(struct gw_metrics *m, const char *name, const char *labels, const char *help);
/* Buckets in seconds for latencies: 50 µs … 10 s, fixed. Observed in nanoseconds. */
struct gw_metric *gw_metrics_histogram(struct gw_metrics *m, const char *name, const char *labels, const char *help);
void gw_metric_add(struct gw_metric *metric, int64_t delta);
void gw_metric_set(struct gw_metric *metric, int64_t value);
int64_t gw_metric_value(const struct gw_metric *metric);
void gw_metric_observe_ns(struct gw_metric *histogram, uint64_t nanoseconds);
void gw_metrics_render(const struct gw_metrics *m, struct gw_buffer *out);

#endif
