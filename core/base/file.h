/* file.h — whole small files: configuration, manifests, key sets. Blocking; for start-up and for subcommands, never for an event loop that
 * serves. Owns nothing. Not for stores: those are drivers. */
#ifndef GW_BASE_FILE_H
#define GW_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct gw_buffer;
struct gw_error;

/* Appends the regular file's bytes to `out`. GW_ENOTFOUND: there is none (file_not_found); GW_EIO: unreadable or not a regular file
 * (file_unreadable); GW_ELIMIT: longer than max_bytes (file_too_large). err->path is `path`. */
int gw_file_read(const char *path, size_t max_bytes, struct gw_buffer *out, struct gw_error *err);
/* As gw_file_read, and refuses (GW_EDENIED, file_too_open) a file that anybody but its owner may read or write. */
int gw_file_read_private(const char *path, size_t max_bytes, struct gw_buffer *out, struct gw_error *err);
/* Makes `path` hold exactly `bytes`, mode 0600, durable, appearing whole or not at all. GW_ECONFLICT: it exists already and stays as it is.
 */
int gw_file_create_private(const char *path, const void *bytes, size_t length, struct gw_error *err);
/* Makes the folder and its missing parents with mode 0700; fine when it exists. */
int gw_file_make_folder(const char *path, struct gw_error *err);
bool gw_file_is_folder(const char *path);

#endif
