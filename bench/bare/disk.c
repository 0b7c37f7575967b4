#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"

enum { FILE_BYTES = 64 * 1024 * 1024, BLOCK_BYTES = 1024 * 1024 };

static void die(const char *what)
{
    fprintf(stderr, "bench_bare: %s: %s\n", what, strerror(errno));
    exit(2);
}

void bare_disk_open(struct bare_disk *disk, const char *path)
{
    char *zeros = gw_alloc(BLOCK_BYTES);
    *disk = (struct bare_disk){.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), .size = FILE_BYTES};
    if (disk->fd < 0) {
        die(path);
    }
    for (size_t written = 0; written < disk->size; written += BLOCK_BYTES) {
        if (pwrite(disk->fd, zeros, BLOCK_BYTES, (off_t)written) != BLOCK_BYTES) {
            die(path);
        }
    }
    gw_free(zeros);
    if (fsync(disk->fd) != 0) {
        die("fsync");
    }
}

void bare_disk_commit(struct bare_disk *disk, const char *bytes, size_t length)
{
    if (disk->at + length > disk->size) {
        disk->at = 0;
    }
    if (pwrite(disk->fd, bytes, length, (off_t)disk->at) != (ssize_t)length || fdatasync(disk->fd) != 0) {
        die("commit");
    }
    disk->at += length;
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sleep_until_ms(double when)
{
    double left = when - now_ms();
    if (left > 0) {
        struct timespec t = {.tv_sec = (time_t)(left / 1e3)};
        t.tv_nsec = (long)((left - (double)t.tv_sec * 1e3) * 1e6);
        nanosleep(&t, NULL);
    }
}

void bare_disk_probe(const char *path, size_t length, unsigned long count, double rate)
{
    struct bare_disk disk;
    char *bytes = gw_alloc(length);
    double *delays = gw_alloc_array(count, sizeof delays[0]);
    bare_disk_open(&disk, path);
    double start = now_ms();
    for (unsigned long i = 0; i < count; i++) {
        sleep_until_ms(start + (double)i * 1e3 / rate);
        double before = now_ms();
        bare_disk_commit(&disk, bytes, length);
        delays[i] = now_ms() - before;
    }
    qsort(delays, count, sizeof delays[0], compare);
    printf("{\"count\":%lu,\"bytes\":%zu,\"p50\":%.4f,\"p99\":%.4f,\"max\":%.4f}\n", count, length, delays[count / 2],
           delays[count * 99 / 100], delays[count - 1]);
    close(disk.fd);
    gw_free(delays);
    gw_free(bytes);
}
