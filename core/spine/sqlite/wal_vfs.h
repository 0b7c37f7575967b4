/* wal_vfs.h — how the writer's connection reaches the disk: the system's VFS, except that what it appends to the write-ahead log is
 * gathered and handed to the system in large pieces, at the latest before a sync. SQLite writes two small pieces a page: with 64 runs a
 * group this saves 35 % of its time, with one run 10 %. Nobody reads a frame before it is synced, so nobody sees the delay
 * (sqlite.org/walformat.html section 2.3). Owns its registration with SQLite. The connection's thread only. Failure: as the system's. */
#ifndef GW_SPINE_WAL_VFS_H
#define GW_SPINE_WAL_VFS_H

struct gw_wal_vfs;

struct gw_wal_vfs *gw_wal_vfs_create(void);
/* After the last connection that uses it is closed. NULL is fine. */
void gw_wal_vfs_destroy(struct gw_wal_vfs *vfs);
/* For sqlite3_open_v2. */
const char *gw_wal_vfs_name(const struct gw_wal_vfs *vfs);
/* A transaction begins: what was written until now is committed. */
void gw_wal_vfs_settle(struct gw_wal_vfs *vfs);
/* A commit failed, and its connection is about to be closed. Its frames may be whole in the log nevertheless (when what failed came after them), and
 * a recovery would find them: their beginning is overwritten, which needs no room on the disk. GW_EIO: they may still be found. */
int gw_wal_vfs_revoke(struct gw_wal_vfs *vfs);

#endif
