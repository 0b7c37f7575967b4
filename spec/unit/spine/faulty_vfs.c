#include "spine/faulty_vfs.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <sqlite3.h>

/* SQLite's registry is of the process, and so is this. */
static sqlite3_vfs faulty;
static sqlite3_vfs *real;
static sqlite3_io_methods wal_methods, database_methods;
static const sqlite3_io_methods *real_wal, *real_database;
static atomic_int write_code, writes_left, sync_code, syncs_left, database_code, database_syncs_left;

static bool use_up(atomic_int *left)
{
    int before = atomic_load(left);
    while (before > 0 && !atomic_compare_exchange_weak(left, &before, before - 1))
        continue;
    return before > 0;
}

static int fail_or_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 at)
{
    return use_up(&writes_left) ? atomic_load(&write_code) : real_wal->xWrite(file, bytes, length, at);
}

static int fail_or_sync(sqlite3_file *file, int flags)
{
    return use_up(&syncs_left) ? atomic_load(&sync_code) : real_wal->xSync(file, flags);
}

static int fail_or_sync_database(sqlite3_file *file, int flags)
{
    return use_up(&database_syncs_left) ? atomic_load(&database_code) : real_database->xSync(file, flags);
}

/* Once each: all files of a kind have the same methods. */
static void wrap_wal(const sqlite3_io_methods *methods)
{
    if (real_wal != NULL)
        return;
    real_wal = methods;
    wal_methods = *methods;
    wal_methods.xWrite = fail_or_write;
    wal_methods.xSync = fail_or_sync;
}

static void wrap_database(const sqlite3_io_methods *methods)
{
    if (real_database != NULL)
        return;
    real_database = methods;
    database_methods = *methods;
    database_methods.xSync = fail_or_sync_database;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    (void)vfs;
    int code = real->xOpen(real, name, file, flags, out_flags);
    if (code == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) {
        wrap_wal(file->pMethods);
        file->pMethods = &wal_methods;
    } else if (code == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB) != 0) {
        wrap_database(file->pMethods);
        file->pMethods = &database_methods;
    }
    return code;
}

void faulty_vfs_install(void)
{
    real = sqlite3_vfs_find(NULL);
    faulty = *real;
    faulty.zName = "faulty";
    faulty.pNext = NULL;
    faulty.xOpen = open_file;
    sqlite3_vfs_register(&faulty, 1);
    faulty_vfs_fail_writes(SQLITE_OK, 0);
    faulty_vfs_fail_syncs(SQLITE_OK, 0);
    faulty_vfs_fail_database_syncs(SQLITE_OK, 0);
}

void faulty_vfs_remove(void) { sqlite3_vfs_unregister(&faulty); }

void faulty_vfs_fail_writes(int code, int count)
{
    atomic_store(&write_code, code);
    atomic_store(&writes_left, count);
}

void faulty_vfs_fail_syncs(int code, int count)
{
    atomic_store(&sync_code, code);
    atomic_store(&syncs_left, count);
}

void faulty_vfs_fail_database_syncs(int code, int count)
{
    atomic_store(&database_code, code);
    atomic_store(&database_syncs_left, count);
}
