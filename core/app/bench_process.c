#include "app/bench_process.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { PROCESSES_MAX = 512 };

static uint64_t read_rss_bytes(long pid)
{
    char path[64], line[256];
    unsigned long kilobytes = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/status", pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            kilobytes = strtoul(line + 6, NULL, 10);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return (uint64_t)kilobytes * 1024;
}

/* Nanoseconds on a processor, the first number of schedstat (kernel: Documentation/scheduler/sched-stats.rst); finer than the ticks of
 * stat. */
static double read_thread_cpu_s(long pid, const char *thread)
{
    char path[320];
    unsigned long long ns = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/task/%s/schedstat", pid, thread);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fscanf(file, "%llu", &ns) != 1) {
            ns = 0;
        }
        fclose(file);
    }
    return (double)ns / 1e9;
}

static double read_cpu_s(long pid)
{
    char path[64];
    double total = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/task", pid);
    DIR *threads = opendir(path);
    struct dirent *entry;
    while (threads != NULL && (entry = readdir(threads)) != NULL) {
        if (isdigit((unsigned char)entry->d_name[0])) {
            total += read_thread_cpu_s(pid, entry->d_name);
        }
    }
    if (threads != NULL) {
        closedir(threads);
    }
    return total;
}

/* Appends the children of all threads of `pid` (proc(5), /proc/pid/task/tid/children). */
static size_t add_children(long pid, long *pids, size_t count)
{
    char path[64];
    long child;
    (void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", pid, pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && count < PROCESSES_MAX && fscanf(file, "%ld", &child) == 1) {
        pids[count++] = child;
    }
    if (file != NULL) {
        fclose(file);
    }
    return count;
}

void gw_bench_usage_read(const struct gw_client_list *roots, struct gw_bench_usage *out)
{
    long pids[PROCESSES_MAX];
    size_t count = 0;
    *out = (struct gw_bench_usage){0};
    for (size_t i = 0; i < roots->count; i++) {
        pids[count++] = strtol(roots->items[i], NULL, 10);
    }
    for (size_t i = 0; i < count; i++) {
        count = add_children(pids[i], pids, count);
        out->rss_bytes += read_rss_bytes(pids[i]);
        out->cpu_s += read_cpu_s(pids[i]);
    }
    out->process_count = (unsigned)count;
}

double gw_bench_own_cpu_s(void)
{
    struct rusage usage = {0};
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
