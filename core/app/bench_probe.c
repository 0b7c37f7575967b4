#include "app/bench_probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

struct gw_bench_probe {
    const struct gw_bench_options *options;
    char **log; /* channel * (events + 1) + seq */
    size_t log_count;
    struct gw_bench_lines cursors;
};

int gw_bench_probe_create(const struct gw_bench_options *options, struct gw_bench_probe **out, struct gw_error *err)
{
    struct gw_bench_probe *probe = gw_alloc(sizeof *probe);
    probe->options = options;
    *out = probe;
    if (options->cursor_in_path != NULL) {
        return gw_bench_lines_load(options->cursor_in_path, &probe->cursors, err);
    }
    probe->log_count = options->channels * (options->resume_events + 1);
    probe->log = gw_alloc_array(probe->log_count, sizeof probe->log[0]);
    return GW_OK;
}

void gw_bench_probe_destroy(struct gw_bench_probe *probe)
{
    if (probe == NULL) {
        return;
    }
    for (size_t i = 0; i < probe->log_count; i++) {
        gw_free(probe->log[i]);
    }
    gw_free(probe->log);
    gw_bench_lines_fini(&probe->cursors);
    gw_free(probe);
}

char **gw_bench_probe_log(struct gw_bench_probe *probe) { return probe->log; }

int gw_bench_probe_finish(struct gw_bench_probe *probe, const struct gw_bench_fleet_result *result, struct gw_error *err)
{
    const struct gw_bench_options *o = probe->options;
    uint64_t wanted = (uint64_t)o->channels * o->resume_events;
    if (result->progress.delivered != wanted) {
        return gw_error_set(err, GW_EIO, "probe_incomplete", "the probes saw %llu of %llu events; %.100s",
                            (unsigned long long)result->progress.delivered, (unsigned long long)wanted, result->counts.first_error);
    }
    probe->cursors.items = gw_alloc_array(o->channels, sizeof probe->cursors.items[0]);
    for (size_t c = 0; c < o->channels; c++) {
        const char *id = probe->log[c * (o->resume_events + 1) + o->resume_events - o->resume_back];
        if (id == NULL) {
            return gw_error_set(err, GW_EIO, "probe_incomplete", "an event of channel %zu came without an id", c);
        }
        probe->cursors.items[probe->cursors.count++] = gw_strdup(id);
    }
    return GW_OK;
}

const struct gw_bench_lines *gw_bench_probe_cursors(const struct gw_bench_probe *probe) { return &probe->cursors; }

int gw_bench_probe_save(const struct gw_bench_probe *probe, const char *path, struct gw_error *err)
{
    FILE *file = fopen(path, "w");
    bool is_written = file != NULL;
    for (size_t i = 0; i < probe->cursors.count && is_written; i++) {
        is_written = fprintf(file, "%s\n", probe->cursors.items[i]) > 0;
    }
    if (file != NULL && fclose(file) != 0) {
        is_written = false;
    }
    return is_written ? GW_OK : gw_error_set(err, GW_EIO, "file_unwritable", "%s: %s", path, strerror(errno));
}
