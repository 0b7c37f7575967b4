/* bench_template.h — text with places to fill: {i} {ch} {p} {seq} {ts} {payload} {unique} {bearer}. Other braces stand for themselves, so
 * that JSON needs no escaping. Parsed once, rendered for every request. Immutable after creation; any thread. */
#ifndef GW_APP_BENCH_TEMPLATE_H
#define GW_APP_BENCH_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>

struct gw_buffer;
struct gw_bench_template;

/* value: what a rendering puts in */
struct gw_bench_values {
    unsigned long subscriber, channel, publisher;
    uint64_t seq, ts_ns;
    uint64_t unique; /* printed after `tag` */
    const char *tag; /* of this run of the generator */
    const char *payload;
    size_t payload_length;
    const char *bearer;
};

struct gw_bench_template *gw_bench_template_create(const char *text);
void gw_bench_template_destroy(struct gw_bench_template *template);
void gw_bench_template_render(const struct gw_bench_template *template, const struct gw_bench_values *values, struct gw_buffer *out);

#endif
