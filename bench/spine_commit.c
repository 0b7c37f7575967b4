/* spine_commit — what the SQLite spine costs over the disk. For each load it measures two bare loops of write(2) and fdatasync(2) with the
 * bytes of one group (into a new file that grows, and over blocks that exist already, as the write-ahead log does), then the driver with
 * the same payloads in flight: each run has one append in flight and sends the next one when that is durable. One thread submits and
 * completes.
 *
 *     cmake --build <build> --target bench_spine && <build>/bench_spine [FOLDER [SECONDS [LOAD]]]
 *
 * FOLDER (default: build/bench_spine) must be on the disk in question, not on tmpfs; it is made, and what the program writes there is
 * removed. LOAD picks one row of the table, from 1. Columns: groups/s and appends/s; p50 and p99 from submit to the completion on the
 * submitting thread, in µs; `of bare` is groups/s of the driver divided by those of the faster bare loop, where a group is one append of
 * each run. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/metrics.h"
#include "hub/ports.h"
#include "spine/sqlite/sqlite_spine.h"

enum { MAX_SAMPLES = 1 << 20, WRAP_BYTES = 16 * 1024 * 1024 };

/* value: one row of the table */
struct load {
    const char *name;
    size_t run_count;
    size_t payload_bytes;
    unsigned events; /* a record stands for so many */
};

static const struct load LOADS[] = {
    {"1 run, records of 1 event", 1, 300, 1},
    {"1 run, records of 64 events", 1, 20000, 64},
    {"1 run, records of 1,024 events", 1, 320000, 1024},
    {"64 runs, records of 1 event", 64, 300, 1},
    {"1,024 runs, records of 1 event", 1024, 300, 1},
};

/* value */
struct figures {
    double groups_per_s;
    double p50_us, p99_us;
    double group_jobs; /* mean appends a sync */
};

static uint64_t now_ns(void) { return gw_clock_system()->monotonic_ns(gw_clock_system()->self); }

static void fail(const char *what)
{
    fprintf(stderr, "spine_commit: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- bare loops --------------------------------------------------------------------------------------------------------------------- */

static void write_all(int fd, const char *bytes, size_t length, off_t at)
{
    while (length > 0) {
        ssize_t written = pwrite(fd, bytes, length, at);
        if (written < 0)
            fail("write");
        bytes += written;
        at += written;
        length -= (size_t)written;
    }
}

static double run_bare(const char *path, size_t bytes, double seconds, bool is_over_existing)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        fail(path);
    char *data = gw_alloc(bytes);
    memset(data, 'x', bytes);
    off_t at = 0;
    for (; is_over_existing && at < WRAP_BYTES; at += (off_t)bytes)
        write_all(fd, data, bytes, at);
    off_t end = at;
    if (fsync(fd) != 0)
        fail("fsync");
    at = 0;
    size_t count = 0;
    uint64_t start = now_ns(), limit = start + (uint64_t)(seconds * 1e9);
    for (; now_ns() < limit; count++) {
        write_all(fd, data, bytes, at);
        if (fdatasync(fd) != 0)
            fail("fdatasync");
        at += (off_t)bytes;
        if (is_over_existing && at >= end)
            at = 0;
    }
    double elapsed = (double)(now_ns() - start) / 1e9;
    close(fd);
    unlink(path);
    gw_free(data);
    return (double)count / elapsed;
}

/* ---- the driver --------------------------------------------------------------------------------------------------------------------- */

/* The inbox of the submitting thread. */
struct inbox {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct gw_task *head, **end;
};

static void inbox_post(void *self, struct gw_task *task)
{
    struct inbox *inbox = self;
    task->next = NULL;
    pthread_mutex_lock(&inbox->lock);
    bool was_empty = inbox->head == NULL;
    *inbox->end = task;
    inbox->end = &task->next;
    pthread_mutex_unlock(&inbox->lock);
    if (was_empty)
        pthread_cond_signal(&inbox->wake);
}

static bool inbox_try_post(void *self, struct gw_task *task)
{
    inbox_post(self, task);
    return true;
}

static struct gw_task *inbox_take(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    while (inbox->head == NULL)
        pthread_cond_wait(&inbox->wake, &inbox->lock);
    struct gw_task *list = inbox->head;
    inbox->head = NULL;
    inbox->end = &inbox->head;
    pthread_mutex_unlock(&inbox->lock);
    return list;
}

struct race {
    const struct gw_spine *port;
    const struct load *load;
    struct gw_executor home;
    const char *payload;
    uint64_t limit_ns;
    size_t pending, done;
    uint32_t *samples_us;
    size_t sample_count;
};

struct runner {
    struct gw_spine_append request; /* first: found again by its address */
    struct race *race;
    uint64_t submitted_ns;
};

static void submit(struct runner *runner, uint64_t now)
{
    struct gw_spine_append *request = &runner->request;
    request->first_seq = request->last_seq + 1;
    request->last_seq += runner->race->load->events;
    runner->submitted_ns = now;
    runner->race->pending++;
    runner->race->port->append(runner->race->port->self, request);
}

static void on_append(struct gw_spine_append *request)
{
    struct runner *runner = (struct runner *)(void *)request;
    struct race *race = runner->race;
    if (request->status != GW_OK) {
        fprintf(stderr, "spine_commit: append: %s\n", request->err.message);
        exit(1);
    }
    uint64_t now = now_ns();
    race->pending--;
    race->done++;
    if (race->sample_count < MAX_SAMPLES)
        race->samples_us[race->sample_count++] = (uint32_t)((now - runner->submitted_ns) / 1000);
    if (now < race->limit_ns)
        submit(runner, now);
}

static void drain(struct race *race, struct inbox *inbox)
{
    while (race->pending > 0) {
        struct gw_task *task = inbox_take(inbox);
        while (task != NULL) {
            struct gw_task *next = task->next;
            task->run(task);
            task = next;
        }
    }
}

static int compare_samples(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void start_runners(struct race *race, struct runner *runners)
{
    for (size_t i = 0; i < race->load->run_count; i++) {
        struct gw_spine_append *request = &runners[i].request;
        runners[i].race = race;
        snprintf(request->run.text, sizeof request->run.text, "tenant-a/dev/project-a/run-%05zu", i);
        request->payload = race->payload;
        request->payload_length = race->load->payload_bytes;
        request->home = &race->home;
        request->done = on_append;
        submit(&runners[i], now_ns());
    }
}

static void race_driver(struct race *race, struct inbox *inbox, double seconds, struct figures *out)
{
    struct runner *runners = gw_alloc_array(race->load->run_count, sizeof *runners);
    uint64_t start = now_ns();
    race->limit_ns = start + (uint64_t)(seconds * 1e9);
    start_runners(race, runners);
    drain(race, inbox);
    double elapsed = (double)(now_ns() - start) / 1e9;
    qsort(race->samples_us, race->sample_count, sizeof *race->samples_us, compare_samples);
    out->groups_per_s = (double)race->done / (double)race->load->run_count / elapsed;
    out->p50_us = race->samples_us[race->sample_count / 2];
    out->p99_us = race->samples_us[race->sample_count - race->sample_count / 100 - 1];
    gw_free(runners);
}

static void remove_database(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-lock"};
    char name[4200];
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
}

static void run_driver(const char *path, const struct load *load, double seconds, struct figures *out)
{
    struct gw_metrics *metrics = gw_metrics_create();
    struct gw_sqlite_spine_opts opts = {.path = path, .clock = gw_clock_system(), .metrics = metrics};
    struct gw_sqlite_spine *spine;
    struct gw_error err;
    remove_database(path);
    if (gw_sqlite_spine_create(&opts, &spine, &err) != GW_OK) {
        fprintf(stderr, "spine_commit: %s %s\n", err.path, err.message);
        exit(1);
    }
    struct inbox inbox = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    inbox.end = &inbox.head;
    char *payload = gw_alloc(load->payload_bytes);
    memset(payload, 'x', load->payload_bytes);
    struct race race = {.port = gw_sqlite_spine_port(spine), .load = load, .payload = payload};
    race.home = (struct gw_executor){&inbox, inbox_post, inbox_try_post};
    race.samples_us = gw_alloc_array(MAX_SAMPLES, sizeof *race.samples_us);
    race_driver(&race, &inbox, seconds, out);
    out->group_jobs = (double)race.done / (double)gw_metric_value(gw_metrics_counter(metrics, "atoms_spine_syncs_total", "", ""));
    gw_sqlite_spine_destroy(spine);
    gw_metrics_destroy(metrics);
    gw_free(race.samples_us);
    gw_free(payload);
    remove_database(path);
}

/* ---- the table ---------------------------------------------------------------------------------------------------------------------- */

static void measure(const char *folder, const struct load *load, double seconds)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/bare", folder);
    size_t bytes = load->run_count * load->payload_bytes;
    double growing = run_bare(path, bytes, seconds, false);
    double existing = run_bare(path, bytes, seconds, true);
    struct figures figures;
    snprintf(path, sizeof path, "%s/spine.db", folder);
    run_driver(path, load, seconds, &figures);
    double best = growing > existing ? growing : existing;
    printf("%-32s %9.0f %9.0f %9.0f %10.0f %8.0f %8.0f %7.1f %8.2f\n", load->name, growing, existing, figures.groups_per_s,
           figures.groups_per_s * (double)load->run_count, figures.p50_us, figures.p99_us, figures.group_jobs, figures.groups_per_s / best);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "build/bench_spine";
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 3;
    struct gw_error err;
    if (gw_file_make_folder(folder, &err) != GW_OK) {
        fprintf(stderr, "spine_commit: %s %s\n", err.path, err.message);
        return 1;
    }
    printf("%-32s %9s %9s %9s %10s %8s %8s %7s %8s\n", "", "growing", "existing", "driver", "appends/s", "p50 us", "p99 us", "a sync",
           "of bare");
    size_t only = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    for (size_t i = 0; i < sizeof LOADS / sizeof *LOADS; i++)
        if (only == 0 || only == i + 1)
            measure(folder, &LOADS[i], seconds);
    return 0;
}
