#include "spine/sqlite/wal_vfs.h"

#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "base/alloc.h"
#include "base/error.h"

/* Below 128 KiB, the most that SQLite's unix VFS takes at once. */
enum { GATHER_BYTES = 64 * 1024 };
/* Of the log and of each frame (sqlite.org/fileformat2.html section 4.1). */
enum { LOG_HEADER_BYTES = 32, FRAME_HEADER_BYTES = 24 };

struct gw_wal_vfs {
    sqlite3_vfs vfs; /* first: SQLite hands it back */
    sqlite3_vfs *system;
    char name[32];
    struct wal_file *log;         /* while it is open */
    sqlite3_int64 unsettled_from; /* the first byte that was written since gw_wal_vfs_settle; -1: none was */
};

/* A write-ahead log; the system's file follows in the same memory. */
struct wal_file {
    sqlite3_file file; /* first */
    struct gw_wal_vfs *owner;
    sqlite3_file *system;
    char *bytes;
    size_t length;
    sqlite3_int64 at; /* where `bytes` go */
};

static struct wal_file *wal_of(sqlite3_file *file) { return (struct wal_file *)(void *)file; }

static int flush(struct wal_file *wal)
{
    if (wal->length == 0)
        return SQLITE_OK;
    size_t length = wal->length;
    /* Given up when it fails: the commit fails with it, and the next one writes these frames anew. */
    wal->length = 0;
    return wal->system->pMethods->xWrite(wal->system, wal->bytes, (int)length, wal->at);
}

static int write_bytes(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 at)
{
    struct wal_file *wal = wal_of(file);
    size_t size = (size_t)length;
    if (wal->owner->unsettled_from < 0 || at < wal->owner->unsettled_from)
        wal->owner->unsettled_from = at;
    if (wal->length > 0 && (at != wal->at + (sqlite3_int64)wal->length || size > GATHER_BYTES - wal->length)) {
        int code = flush(wal);
        if (code != SQLITE_OK)
            return code;
    }
    if (size > GATHER_BYTES)
        return wal->system->pMethods->xWrite(wal->system, bytes, length, at);
    if (wal->length == 0)
        wal->at = at;
    memcpy(wal->bytes + wal->length, bytes, size);
    wal->length += size;
    return SQLITE_OK;
}

static int sync_file(sqlite3_file *file, int flags)
{
    struct wal_file *wal = wal_of(file);
    int code = flush(wal);
    return code == SQLITE_OK ? wal->system->pMethods->xSync(wal->system, flags) : code;
}

static int read_bytes(sqlite3_file *file, void *bytes, int length, sqlite3_int64 at)
{
    struct wal_file *wal = wal_of(file);
    int code = flush(wal);
    return code == SQLITE_OK ? wal->system->pMethods->xRead(wal->system, bytes, length, at) : code;
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    struct wal_file *wal = wal_of(file);
    int code = flush(wal);
    return code == SQLITE_OK ? wal->system->pMethods->xTruncate(wal->system, size) : code;
}

static int find_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct wal_file *wal = wal_of(file);
    int code = flush(wal);
    return code == SQLITE_OK ? wal->system->pMethods->xFileSize(wal->system, size) : code;
}

static int close_file(sqlite3_file *file)
{
    struct wal_file *wal = wal_of(file);
    /* What is left was never committed. */
    gw_free(wal->bytes);
    if (wal->owner->log == wal)
        wal->owner->log = NULL;
    return wal->system->pMethods->xClose(wal->system);
}

/* ---- handed on ---------------------------------------------------------------------------------------------------------------------- */

static int lock_file(sqlite3_file *file, int level) { return wal_of(file)->system->pMethods->xLock(wal_of(file)->system, level); }

static int unlock_file(sqlite3_file *file, int level) { return wal_of(file)->system->pMethods->xUnlock(wal_of(file)->system, level); }

static int check_lock(sqlite3_file *file, int *is_reserved)
{
    return wal_of(file)->system->pMethods->xCheckReservedLock(wal_of(file)->system, is_reserved);
}

static int control_file(sqlite3_file *file, int operation, void *argument)
{
    return wal_of(file)->system->pMethods->xFileControl(wal_of(file)->system, operation, argument);
}

static int find_sector_size(sqlite3_file *file) { return wal_of(file)->system->pMethods->xSectorSize(wal_of(file)->system); }

static int find_characteristics(sqlite3_file *file) { return wal_of(file)->system->pMethods->xDeviceCharacteristics(wal_of(file)->system); }

static const sqlite3_io_methods WAL_METHODS = {
    .iVersion = 1,
    .xClose = close_file,
    .xRead = read_bytes,
    .xWrite = write_bytes,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = find_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control_file,
    .xSectorSize = find_sector_size,
    .xDeviceCharacteristics = find_characteristics,
};

/* ---- the VFS ------------------------------------------------------------------------------------------------------------------------ */

/* Other files are the system's own, in the same memory. */
static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    sqlite3_vfs *system = ((struct gw_wal_vfs *)(void *)vfs)->system;
    if ((flags & SQLITE_OPEN_WAL) == 0)
        return system->xOpen(system, name, file, flags, out_flags);
    struct wal_file *wal = wal_of(file);
    memset(wal, 0, sizeof *wal);
    wal->system = (sqlite3_file *)(void *)(wal + 1);
    int code = system->xOpen(system, name, wal->system, flags, out_flags);
    if (code != SQLITE_OK)
        return code;
    wal->bytes = gw_alloc(GATHER_BYTES);
    wal->owner = (struct gw_wal_vfs *)(void *)vfs;
    wal->owner->log = wal;
    wal->file.pMethods = &WAL_METHODS;
    return SQLITE_OK;
}

struct gw_wal_vfs *gw_wal_vfs_create(void)
{
    struct gw_wal_vfs *vfs = gw_alloc(sizeof *vfs);
    vfs->system = sqlite3_vfs_find(NULL);
    vfs->unsettled_from = -1;
    vfs->vfs = *vfs->system;
    snprintf(vfs->name, sizeof vfs->name, "atoms-%p", (void *)vfs);
    vfs->vfs.zName = vfs->name;
    vfs->vfs.pNext = NULL;
    vfs->vfs.szOsFile += (int)sizeof(struct wal_file);
    vfs->vfs.xOpen = open_file;
    sqlite3_vfs_register(&vfs->vfs, 0);
    return vfs;
}

void gw_wal_vfs_destroy(struct gw_wal_vfs *vfs)
{
    if (vfs == NULL)
        return;
    sqlite3_vfs_unregister(&vfs->vfs);
    gw_free(vfs);
}

const char *gw_wal_vfs_name(const struct gw_wal_vfs *vfs) { return vfs->name; }

void gw_wal_vfs_settle(struct gw_wal_vfs *vfs) { vfs->unsettled_from = -1; }

int gw_wal_vfs_revoke(struct gw_wal_vfs *vfs)
{
    static const char no_frame[FRAME_HEADER_BYTES];
    sqlite3_int64 from = vfs->unsettled_from, size = 0;
    if (from < 0 || vfs->log == NULL)
        return GW_OK;
    vfs->unsettled_from = -1;
    vfs->log->length = 0;
    if (from < LOG_HEADER_BYTES)
        from = LOG_HEADER_BYTES;
    sqlite3_file *file = vfs->log->system;
    if (file->pMethods->xFileSize(file, &size) != SQLITE_OK)
        return GW_EIO;
    if (size < from + FRAME_HEADER_BYTES) /* no whole frame got there */
        return GW_OK;
    if (file->pMethods->xWrite(file, no_frame, FRAME_HEADER_BYTES, from) != SQLITE_OK ||
        file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) != SQLITE_OK)
        return GW_EIO;
    return GW_OK;
}
