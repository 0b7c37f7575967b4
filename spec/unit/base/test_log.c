#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"

struct pipe_log {
    int read_fd;
    int write_fd;
    struct gw_log *log;
    char line[8192];
};

static void open_pipe(struct pipe_log *p, enum gw_log_level level)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    p->read_fd = fds[0];
    p->write_fd = fds[1];
    p->log = gw_log_create(fds[1], level);
}

/* One read(2): what one write(2) of at most PIPE_BUF bytes put there. */
static struct gw_json *read_line(struct pipe_log *p)
{
    struct gw_json_limits limits = {.max_bytes = 8192, .max_depth = 4, .max_nodes = 100};
    struct gw_json *json;
    struct gw_error err;
    ssize_t got = read(p->read_fd, p->line, sizeof p->line);
    assert_in_range(got, 2, 4096);
    assert_int_equal(p->line[got - 1], '\n');
    assert_null(memchr(p->line, '\n', (size_t)got - 1));
    assert_int_equal(gw_json_parse(p->line, (size_t)got, &limits, &json, &err), 0);
    return json;
}

static void close_pipe(struct pipe_log *p)
{
    gw_log_destroy(p->log);
    close(p->read_fd);
    close(p->write_fd);
}

static const char *text_at(const struct gw_json *json, const char *key) { return gw_json_text(gw_json_get(json, key), NULL); }

static void writes_one_json_object_a_line(void **state)
{
    (void)state;
    struct pipe_log p;
    open_pipe(&p, GW_LOG_INFO);
    gw_log_write(p.log, GW_LOG_WARN, "append_slow",
                 (struct gw_log_field[]){GW_F_TEXT("run", "acme/dev/p/r"), GW_F_INT("delta", -3), GW_F_UINT("seq", 9007199254740991),
                                         GW_F_TEXT("none", NULL), GW_F_END});
    struct gw_json *line = read_line(&p);
    assert_string_equal(text_at(line, "level"), "warn");
    assert_string_equal(text_at(line, "event"), "append_slow");
    assert_string_equal(text_at(line, "run"), "acme/dev/p/r");
    assert_int_equal(strlen(text_at(line, "ts")), 24);
    assert_int_equal(gw_json_int(gw_json_get(line, "delta")), -3);
    assert_int_equal(gw_json_int(gw_json_get(line, "seq")), 9007199254740991);
    assert_true(gw_json_is_null(gw_json_get(line, "none")));
    gw_json_unref(line);
    close_pipe(&p);
}

static void keeps_quiet_below_its_level(void **state)
{
    (void)state;
    struct pipe_log p;
    open_pipe(&p, GW_LOG_WARN);
    gw_log_write(p.log, GW_LOG_INFO, "quiet", NULL);
    gw_log_write(p.log, GW_LOG_ERROR, "loud", NULL);
    struct gw_json *line = read_line(&p);
    assert_string_equal(text_at(line, "event"), "loud");
    gw_json_unref(line);
    close_pipe(&p);
}

static void no_field_can_forge_a_line_or_reach_the_terminal(void **state)
{
    (void)state;
    struct pipe_log p;
    open_pipe(&p, GW_LOG_DEBUG);
    gw_log_write(p.log, GW_LOG_INFO, "x", (struct gw_log_field[]){GW_F_TEXT("a", "\"}\n{\"b\":1\x1b[2J\x7f\xc2\x9b\\"), GW_F_END});
    struct gw_json *line = read_line(&p);
    assert_string_equal(text_at(line, "a"), "\"}\n{\"b\":1\x1b[2J\x7f\xc2\x9b\\");
    assert_null(strchr(p.line, '\x1b'));
    assert_null(strchr(p.line, '\x7f'));
    assert_null(strchr(p.line, '\x9b'));
    gw_json_unref(line);
    close_pipe(&p);
}

static void replaces_bytes_that_are_not_utf8(void **state)
{
    (void)state;
    struct pipe_log p;
    open_pipe(&p, GW_LOG_DEBUG);
    gw_log_write(p.log, GW_LOG_INFO, "x", (struct gw_log_field[]){GW_F_TEXT("a", "ok\xff\xc3\xa9\xe2\x82"), GW_F_END});
    struct gw_json *line = read_line(&p);
    assert_string_equal(text_at(line, "a"), "ok\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd");
    gw_json_unref(line);
    close_pipe(&p);
}

static void caps_a_long_field_between_characters(void **state)
{
    (void)state;
    struct pipe_log p;
    char text[2000];
    open_pipe(&p, GW_LOG_DEBUG);
    memset(text, 'a', sizeof text);
    memcpy(text + 511, "\xc3\xa9", 2);
    text[sizeof text - 1] = '\0';
    gw_log_write(p.log, GW_LOG_INFO, "x", (struct gw_log_field[]){GW_F_TEXT("a", text), GW_F_INT("after", 1), GW_F_END});
    struct gw_json *line = read_line(&p);
    assert_int_equal(strlen(text_at(line, "a")), 511 + 3);
    assert_string_equal(text_at(line, "a") + 511, "\xe2\x80\xa6");
    assert_int_equal(gw_json_int(gw_json_get(line, "after")), 1);
    gw_json_unref(line);
    close_pipe(&p);
}

static void says_when_a_line_was_cut(void **state)
{
    (void)state;
    struct pipe_log p;
    char text[513];
    struct gw_log_field fields[5];
    open_pipe(&p, GW_LOG_DEBUG);
    memset(text, '\x01', 512);
    text[512] = '\0';
    for (size_t i = 0; i < 4; i++)
        fields[i] = GW_F_TEXT(i == 0 ? "first" : "other", text);
    fields[4] = GW_F_END;
    gw_log_write(p.log, GW_LOG_INFO, "x", fields);
    struct gw_json *line = read_line(&p);
    assert_true(gw_json_bool(gw_json_get(line, "truncated")));
    assert_non_null(gw_json_get(line, "first"));
    gw_json_unref(line);
    close_pipe(&p);
}

static void knows_the_names_of_its_levels(void **state)
{
    (void)state;
    enum gw_log_level level;
    assert_int_equal(gw_log_level_parse("debug", &level), 0);
    assert_int_equal(level, GW_LOG_DEBUG);
    assert_int_equal(gw_log_level_parse("error", &level), 0);
    assert_int_equal(level, GW_LOG_ERROR);
    assert_int_equal(gw_log_level_parse("loud", &level), GW_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_one_json_object_a_line),
        cmocka_unit_test(keeps_quiet_below_its_level),
        cmocka_unit_test(no_field_can_forge_a_line_or_reach_the_terminal),
        cmocka_unit_test(replaces_bytes_that_are_not_utf8),
        cmocka_unit_test(caps_a_long_field_between_characters),
        cmocka_unit_test(says_when_a_line_was_cut),
        cmocka_unit_test(knows_the_names_of_its_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
