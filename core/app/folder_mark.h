/* folder_mark.h — a number that is another one when a file below a folder was saved, made or removed. Blocking, a few microseconds a file; any thread. */
#ifndef GW_APP_FOLDER_MARK_H
#define GW_APP_FOLDER_MARK_H

#include <stdint.h>

/* Names, sizes and times of change of at most 20000 files, down to the sixth level; 0 when there is no such folder. */
uint64_t gw_folder_mark(const char *path);

#endif
