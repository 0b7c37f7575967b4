/* disk.h — the least that durability costs: a file written in a circle and synced. The file is written full beforehand, so that a sync
 * carries data and no change of the file's size, as in a log that is reused. One thread. Any failure ends the process: there is nothing to
 * measure then. */
#ifndef BARE_DISK_H
#define BARE_DISK_H

#include <stddef.h>

struct bare_disk {
    int fd;
    size_t size, at;
};

void bare_disk_open(struct bare_disk *disk, const char *path);
/* Writes all and returns when fdatasync has. */
void bare_disk_commit(struct bare_disk *disk, const char *bytes, size_t length);
/* Commits `count` groups of `length` bytes, `rate` a second, and prints the delays as one JSON object. */
void bare_disk_probe(const char *path, size_t length, unsigned long count, double rate);

#endif
