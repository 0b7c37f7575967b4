#include "app/folder_mark.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 6
#define FILES_MAX 20000

/* FNV-1a */
static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t mark_folder(int fd, unsigned depth, unsigned *left);

/* 0 for what is no file and no folder. */
static uint64_t mark_entry(int folder, const char *name, unsigned depth, unsigned *left)
{
    struct stat info;
    if (fstatat(folder, name, &info, 0))
        return 0;
    uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), name, strlen(name));
    if (S_ISDIR(info.st_mode)) {
        int fd = depth < DEPTH_MAX ? openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        return fd < 0 ? hash : hash * 31 + mark_folder(fd, depth + 1, left);
    }
    hash = mix(hash, &info.st_size, sizeof info.st_size);
    hash = mix(hash, &info.st_ino, sizeof info.st_ino);
    return mix(hash, &info.st_mtim, sizeof info.st_mtim);
}

/* Takes the descriptor. A sum, so that the order in which the system lists entries does not matter. */
static uint64_t mark_folder(int fd, unsigned depth, unsigned *left)
{
    DIR *folder = fdopendir(fd);
    uint64_t sum = 1;
    if (!folder) {
        close(fd);
        return 0;
    }
    const struct dirent *entry;
    while (*left > 0 && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        --*left;
        sum += mark_entry(dirfd(folder), entry->d_name, depth, left);
    }
    closedir(folder);
    return sum;
}

uint64_t gw_folder_mark(const char *path)
{
    unsigned left = FILES_MAX;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? 0 : mark_folder(fd, 0, &left);
}
