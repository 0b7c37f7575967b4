#include "spine/sqlite/scrub.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

enum { PAGE_BYTES = 4096, PIECE_PAGES = 64, FILE_HEADER_BYTES = 100 };

/* Overflow and freelist pages begin with the number of another page: below this its first byte is less than any kind of b-tree page. */
#define MAX_PAGES ((sqlite3_int64)2 << 24)

static size_t read_u16(const unsigned char *bytes) { return (size_t)bytes[0] << 8 | bytes[1]; }

/* True when something had to be zeroed. The layout: sqlite.org/fileformat2.html section 1.6. */
static bool scrub_page(unsigned char *page, bool is_first)
{
    const unsigned char *header = page + (is_first ? FILE_HEADER_BYTES : 0);
    bool is_interior = header[0] == 0x02 || header[0] == 0x05, is_leaf = header[0] == 0x0a || header[0] == 0x0d;
    size_t from = (size_t)(header - page) + (is_interior ? 12 : 8) + 2 * read_u16(header + 3), to = read_u16(header + 5);
    if ((!is_interior && !is_leaf) || from > to || to > PAGE_BYTES)
        return false;
    for (size_t i = from; i < to; i++)
        if (page[i] != 0) {
            memset(page + i, 0, to - i);
            return true;
        }
    return false;
}

static int scrub_piece(sqlite3_file *file, unsigned char *bytes, sqlite3_int64 at, int length)
{
    int code = file->pMethods->xRead(file, bytes, length, at);
    for (int i = 0; code == SQLITE_OK && i < length; i += PAGE_BYTES)
        if (scrub_page(bytes + i, at + i == 0))
            code = file->pMethods->xWrite(file, bytes + i, PAGE_BYTES, at + i);
    return code;
}

int gw_scrub_pages(sqlite3 *db)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    int code = sqlite3_file_control(db, NULL, SQLITE_FCNTL_FILE_POINTER, &file);
    if (code == SQLITE_OK)
        code = file->pMethods->xFileSize(file, &size);
    if (code == SQLITE_OK && size / PAGE_BYTES >= MAX_PAGES)
        code = SQLITE_TOOBIG;
    unsigned char *bytes = gw_alloc((size_t)PIECE_PAGES * PAGE_BYTES);
    for (sqlite3_int64 at = 0; code == SQLITE_OK && at + PAGE_BYTES <= size; at += (sqlite3_int64)PIECE_PAGES * PAGE_BYTES) {
        sqlite3_int64 left = (size - at) / PAGE_BYTES;
        code = scrub_piece(file, bytes, at, PAGE_BYTES * (left < PIECE_PAGES ? (int)left : PIECE_PAGES));
    }
    gw_free(bytes);
    if (code == SQLITE_OK)
        code = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
    sqlite3_db_release_memory(db);
    return code;
}
