/* faulty_vfs.h — a SQLite VFS in front of the system's, whose files fail when a test orders it. Process-wide while installed;
 * one test thread orders, any thread meets the fault. */
#ifndef SPEC_SPINE_FAULTY_VFS_H
#define SPEC_SPINE_FAULTY_VFS_H

/* Becomes the default for connections that are opened from now on. */
void faulty_vfs_install(void);
void faulty_vfs_remove(void);
/* The next `count` writes to, or syncs of, a write-ahead log answer `code` (SQLITE_FULL, SQLITE_IOERR_FSYNC …). */
void faulty_vfs_fail_writes(int code, int count);
void faulty_vfs_fail_syncs(int code, int count);
/* As the above, for syncs of a database. */
void faulty_vfs_fail_database_syncs(int code, int count);

#endif
