/* sanitized_line.h — what `sanitize` answers: is it a log line as one should be, or nothing? Sizes are judged where lines are stored. Pure; any thread. */
#ifndef GW_SCRIPT_SANITIZED_LINE_H
#define GW_SCRIPT_SANITIZED_LINE_H

struct gw_error;
struct gw_json;

/* GW_EINVAL script_bad_result: the message begins with the pointer of what is wrong; err->path is left to the caller. */
int gw_sanitized_line_check(const struct gw_json *line, struct gw_error *err);

#endif
