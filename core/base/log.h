/* log.h — structured logs: one JSON object a line. Strings are escaped and capped (512 bytes a field); a line is written with
 * one write(2). Any thread; the logger is shared and immutable after creation except for its level. Not for developer logs of a
 * run: those are log_line events. */
#ifndef GW_BASE_LOG_H
#define GW_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

struct gw_log;

enum gw_log_level { GW_LOG_DEBUG, GW_LOG_INFO, GW_LOG_WARN, GW_LOG_ERROR };
enum gw_log_kind { GW_LOG_END, GW_LOG_TEXT, GW_LOG_INT, GW_LOG_UINT };

/* value: one field of a line; build with the macros below */
struct gw_log_field {
    enum gw_log_kind kind;
    const char *name;
    const char *text;
    int64_t number;
};
#define GW_F_TEXT(n, v) ((struct gw_log_field){GW_LOG_TEXT, (n), (v), 0})
#define GW_F_INT(n, v)  ((struct gw_log_field){GW_LOG_INT, (n), NULL, (int64_t)(v)})
#define GW_F_UINT(n, v) ((struct gw_log_field){GW_LOG_UINT, (n), NULL, (int64_t)(v)})
#define GW_F_END        ((struct gw_log_field){GW_LOG_END, NULL, NULL, 0})

/* Writes to `fd`, which stays the caller's. */
struct gw_log *gw_log_create(int fd, enum gw_log_level level);
void gw_log_destroy(struct gw_log *log);
/* {"ts":…,"level":…,"event":…, fields…}. `event` is a fixed snake_case word to search for. `fields` ends with GW_F_END; may be NULL.
 * Usage: gw_log_write(log, GW_LOG_INFO, "listening", (struct gw_log_field[]){GW_F_TEXT("address", a), GW_F_END}); */
void gw_log_write(struct gw_log *log, enum gw_log_level level, const char *event, const struct gw_log_field *fields);
int gw_log_level_parse(const char *text, enum gw_log_level *out); /* "debug" | "info" | "warn" | "error" */

#endif
