/* scrub.h — zeroes what SQLite leaves behind where nothing is allocated. Its secure_delete overwrites what is deleted and the pages that are
 * freed, but when it merges pages it copies the cells of neighbours, and the old copies stay in the unallocated part of a page until that is
 * used again (sqlite.org/fileformat2.html section 1.6). Those bytes belong to nobody, so a crash on the way harms nothing. Between
 * transactions, with the whole log in the database, on the writer's thread. Costs one read of the database. */
#ifndef GW_SPINE_SCRUB_H
#define GW_SPINE_SCRUB_H

#include <sqlite3.h>

/* Empties the connection's cache too, which may hold such bytes. SQLite's code; SQLITE_TOOBIG: a database in which the kinds of pages cannot
 * be told apart by their first byte (128 GiB). */
int gw_scrub_pages(sqlite3 *db);

#endif
