#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "script/data_file.h"
#include "script/sandbox.h"
#include "script/sources.h"

/* Each file of spec/sandbox/attacks is a module with a function `attack`, called twice; its second comment says what must come of it: one or more of error ids
 * and "result JSON", with | between; "id:limit" asks for the limit's name too. "--@ module NAME" begins another module, "--@ bytecode NAME" one that is compiled,
 * "--@ repeat N TEXT" stands for N times the text. A file with the line "--@ data" is read as data_file.h does, instead. With arguments only the attacks named are run, as scripts/guards does. */
#define FOLDER      "spec/sandbox/attacks"
#define MAX_ATTACKS 500
#define MAX_NAME    64
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOWNESS 8
#else
#define SLOWNESS 1
#endif
#define MAX_MS (120 * SLOWNESS) /* of the processor, for one call: the budget is 50, and the clock is not read at each instruction */

static const char victim_text[] = "return {answer = function(arg)\n"
                                  "  local words = {}\n"
                                  "  for word in arg.text:gmatch('%a+') do words[#words + 1] = word:upper() end\n"
                                  "  table.sort(words)\n"
                                  "  return {text = table.concat(words, ' '), twice = ('x'):rep(2), sum = #words}\n"
                                  "end}\n";

struct attack {
    char name[MAX_NAME];
    char expect[512];
    struct gw_sources *sources;
    bool is_data;
};

/* The processor's time: other programs may run beside this one. */
static uint64_t cpu_ns(void *self)
{
    (void)self;
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t passing_ns(void *self)
{
    (void)self;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static const struct gw_clock budget_clock = {.monotonic_ns = passing_ns, .thread_ns = cpu_ns};

static void add_module(struct gw_sources *sources, const char *name, const struct gw_buffer *text)
{
    struct gw_error err = {0};
    char path[MAX_NAME + 8];
    snprintf(path, sizeof path, "%s.lua", name);
    struct gw_source source = {name, path, text->data == NULL ? "" : text->data, text->length};
    if (gw_sources_add(sources, &source, &err) != 0)
        fail_msg("%s: %s", name, err.message);
}

static void add_repeated(struct gw_buffer *text, const char *line, size_t length)
{
    char *what;
    unsigned long count = strtoul(line, &what, 10);
    for (what++; count > 0; count--) {
        gw_buffer_append(text, what, length - (size_t)(what - line));
        gw_buffer_append_char(text, ' ');
    }
    gw_buffer_append_char(text, '\n');
}

static int append_bytes(lua_State *L, const void *bytes, size_t size, void *out)
{
    (void)L;
    gw_buffer_append(out, bytes, size);
    return 0;
}

static void compile(struct gw_buffer *text)
{
    lua_State *L = luaL_newstate();
    assert_non_null(L);
    assert_int_equal(luaL_loadbuffer(L, text->data, text->length, "compiled"), LUA_OK);
    gw_buffer_reset(text);
    assert_int_equal(lua_dump(L, append_bytes, text, 0), 0);
    lua_close(L);
}

static void end_module(struct gw_sources *sources, char name[MAX_NAME], struct gw_buffer *text, bool is_bytecode)
{
    if (is_bytecode)
        compile(text);
    add_module(sources, name, text);
    gw_buffer_reset(text);
}

/* Splits the file into modules. */
static void add_modules(struct gw_sources *sources, const char *file)
{
    static const char module[] = "--@ module ", bytecode[] = "--@ bytecode ", repeat[] = "--@ repeat ";
    struct gw_buffer text;
    char name[MAX_NAME] = "attack";
    bool is_bytecode = false;
    gw_buffer_init(&text, 0);
    for (const char *line = file; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        bool is_module = strncmp(line, module, strlen(module)) == 0;
        if (is_module || strncmp(line, bytecode, strlen(bytecode)) == 0) {
            end_module(sources, name, &text, is_bytecode);
            size_t head = is_module ? strlen(module) : strlen(bytecode);
            snprintf(name, sizeof name, "%.*s", (int)(length - head), line + head);
            is_bytecode = !is_module;
        } else if (strncmp(line, repeat, strlen(repeat)) == 0) {
            add_repeated(&text, line + strlen(repeat), length - strlen(repeat));
        } else {
            gw_buffer_append(&text, line, length);
            gw_buffer_append_char(&text, '\n');
        }
        line += length + (line[length] == '\n' ? 1 : 0);
    }
    end_module(sources, name, &text, is_bytecode);
    gw_buffer_fini(&text);
}

/* The file's text, ended by a NUL. */
static void read_file(const char *name, struct gw_buffer *text)
{
    char path[sizeof FOLDER + MAX_NAME + 8];
    struct gw_error err = {0};
    snprintf(path, sizeof path, FOLDER "/%s.lua", name);
    if (gw_file_read(path, 1 << 20, text, &err) != 0)
        fail_msg("%s: %s", path, err.message);
    gw_buffer_append_char(text, '\0');
}

static void load_attack(const char *name, struct attack *attack)
{
    static const char expect[] = "\n-- expect: ";
    struct gw_buffer text, victim;
    gw_buffer_init(&text, 0);
    read_file(name, &text);
    const char *at = strstr(text.data, expect);
    if (at == NULL || strncmp(text.data, "-- tries: ", 10) != 0)
        fail_msg("%s does not say what it tries and what must come of it", name);
    at += strlen(expect);
    snprintf(attack->name, sizeof attack->name, "%s", name);
    snprintf(attack->expect, sizeof attack->expect, "%.*s", (int)strcspn(at, "\n"), at);
    attack->is_data = strstr(text.data, "\n--@ data\n") != NULL;
    attack->sources = gw_sources_create();
    add_modules(attack->sources, text.data);
    gw_buffer_init(&victim, 0);
    gw_buffer_append_text(&victim, victim_text);
    add_module(attack->sources, "victim", &victim);
    gw_buffer_fini(&victim);
    gw_buffer_fini(&text);
}

static bool is_entry(const char *module) { return strcmp(module, "attack") == 0 || strcmp(module, "victim") == 0; }

static struct gw_sandbox *open_sandbox(struct gw_sources *sources, struct gw_sandbox_limits *limits, bool (*entries)(const char *module))
{
    struct gw_error err = {0};
    struct gw_sandbox *box = NULL;
    gw_sandbox_limits_default(limits);
    limits->call_ms *= SLOWNESS;
    struct gw_sandbox_opts opts = {.sources = sources, .clock = &budget_clock, .limits = *limits, .is_entry = entries};
    if (gw_sandbox_create(&opts, &box, &err) != 0)
        fail_msg("%s: %s", err.id, err.message);
    return box;
}

/* A function of the core's, as the view of a canvas is: block(id). */
static int look_block(void *self, const struct gw_json *args, struct gw_json **result, struct gw_error *err)
{
    (void)self;
    (void)err;
    *result = gw_json_new_object();
    struct gw_json *id = gw_json_at(args, 0);
    assert_int_equal(gw_json_set(*result, "id", id == NULL ? gw_json_new_null() : gw_json_ref(id)), 0);
    return 0;
}

static struct gw_json *parse(const char *text)
{
    static const struct gw_json_limits limits = {.max_bytes = 1 << 16, .max_depth = 10, .max_nodes = 100};
    struct gw_error err = {0};
    struct gw_json *value = NULL;
    assert_int_equal(gw_json_parse(text, strlen(text), &limits, &value, &err), 0);
    return value;
}

/* Calls the function; `outcome` becomes the error's id or "result JSON". */
static void call(struct gw_sandbox *box, const char *module, const char *function, struct gw_buffer *outcome, struct gw_error *err)
{
    static const struct gw_sandbox_lookup lookup = {.name = "block", .look = look_block};
    struct gw_json *arg = parse("{\"text\":\"the quick brown fox\",\"list\":[1,2,3]}"), *result = NULL;
    struct gw_sandbox_call it = {
        .module = module, .function = function, .args = &arg, .arg_count = 1, .lookups = &lookup, .lookup_count = 1, .result_count = 1};
    gw_buffer_reset(outcome);
    if (gw_sandbox_call(box, &it, &result, NULL, err) != 0) {
        gw_buffer_append_text(outcome, err->id);
    } else {
        gw_buffer_append_text(outcome, "result ");
        gw_json_write_canonical(result, outcome);
    }
    gw_buffer_append_char(outcome, '\0');
    gw_json_unref(result);
    gw_json_unref(arg);
}

static void read_as_data(const struct attack *attack, struct gw_buffer *outcome, struct gw_error *err)
{
    const struct gw_source *source = gw_sources_find(attack->sources, "attack");
    struct gw_data_file *file = NULL;
    struct gw_data_limits limits;
    gw_data_limits_default(&limits);
    limits.max_ms *= SLOWNESS;
    gw_buffer_reset(outcome);
    int rc = gw_data_file_parse(source->text, source->length, &(struct gw_data_opts){.limits = &limits}, &file, err);
    gw_buffer_append_text(outcome, rc != 0 ? err->id : "result");
    gw_buffer_append_char(outcome, '\0');
    if (rc == 0)
        gw_data_file_destroy(file);
}

/* Whether one of the alternatives is the outcome. */
static bool is_expected(const char *expect, const char *outcome, const char *limit)
{
    char with_limit[128];
    snprintf(with_limit, sizeof with_limit, "%.60s:%.60s", outcome, limit);
    for (const char *at = expect;; at++) {
        size_t length = strcspn(at, "|");
        if (strlen(outcome) == length && memcmp(at, outcome, length) == 0)
            return true;
        if (strlen(with_limit) == length && memcmp(at, with_limit, length) == 0)
            return true;
        at += length;
        if (*at == '\0')
            return false;
    }
}

/* Files that are still to be loaded may take the whole time of a call, each of them once. */
static void assert_victim_is_well(struct gw_sandbox *box, size_t file_count, const char *whose)
{
    struct gw_buffer outcome;
    struct gw_error err = {0};
    gw_buffer_init(&outcome, 0);
    call(box, "victim", "answer", &outcome, &err);
    for (size_t i = 0; i < file_count && strcmp(outcome.data, "script_budget") == 0; i++)
        call(box, "victim", "answer", &outcome, &err);
    if (strcmp(outcome.data, "result {\"sum\":4,\"text\":\"BROWN FOX QUICK THE\",\"twice\":\"xx\"}") != 0)
        fail_msg("%s: the victim answers %s %s", whose, outcome.data, err.message);
    gw_buffer_fini(&outcome);
}

/* What is told about an error goes to a log and to a terminal. */
static void assert_harmless(const char *name, const char *text, bool may_break)
{
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 && !(may_break && *at == '\n'))
            fail_msg("%s: a control character in what is told: %s", name, text);
}

static bool run_attack(struct gw_sandbox *box, const struct attack *attack, double *ms, struct gw_buffer *outcome)
{
    struct gw_error err = {0};
    uint64_t begin = cpu_ns(NULL);
    if (attack->is_data)
        read_as_data(attack, outcome, &err);
    else
        call(box, "attack", "attack", outcome, &err);
    *ms = (double)(cpu_ns(NULL) - begin) / 1e6;
    bool is_right = is_expected(attack->expect, outcome->data, err.limit_name);
    if (!is_right)
        print_error("%s: expected %s, got %.200s:%s %s (%s)\n", attack->name, attack->expect, outcome->data, err.limit_name, err.message,
                    err.path);
    else if (*ms > MAX_MS)
        print_error("%s: %.0f ms of the processor\n", attack->name, *ms);
    assert_harmless(attack->name, err.message, false);
    assert_harmless(attack->name, gw_sandbox_traceback(box), true);
    return is_right && *ms <= MAX_MS;
}

/* Twice, since a script may prepare the second by the first; then the victim in this sandbox, in a new one, and in one of another tenant. */
static bool attack_and_see(const char *name, struct gw_sandbox *other)
{
    struct attack attack;
    struct gw_buffer outcome;
    struct gw_sandbox_limits limits;
    double first, second;
    gw_buffer_init(&outcome, 0);
    load_attack(name, &attack);
    struct gw_sandbox *box = open_sandbox(attack.sources, &limits, attack.is_data ? NULL : is_entry);
    bool is_good = run_attack(box, &attack, &first, &outcome);
    is_good = run_attack(box, &attack, &second, &outcome) && is_good;
    print_message("%8.2f ms %8.2f ms %6zu KiB  %-28s %.60s\n", first, second, gw_sandbox_memory(box) >> 10, name, outcome.data);
    assert_true(gw_sandbox_memory(box) <= limits.memory_bytes);
    assert_victim_is_well(box, attack.is_data ? 0 : gw_sources_count(attack.sources), name);
    assert_victim_is_well(other, 0, name);
    gw_sandbox_destroy(box);
    box = open_sandbox(attack.sources, &limits, NULL);
    assert_victim_is_well(box, 0, name);
    gw_sandbox_destroy(box);
    gw_sources_unref(attack.sources);
    gw_buffer_fini(&outcome);
    return is_good;
}

static int compare_names(const void *a, const void *b) { return strcmp(a, b); }

static size_t list_attacks(char (*names)[MAX_NAME])
{
    size_t count = 0;
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        size_t length = strlen(entry->d_name);
        if (length < 5 || strcmp(entry->d_name + length - 4, ".lua") != 0)
            continue;
        assert_true(count < MAX_ATTACKS && length < MAX_NAME);
        snprintf(names[count++], MAX_NAME, "%.*s", (int)(length - 4), entry->d_name);
    }
    closedir(folder);
    qsort(names, count, MAX_NAME, compare_names);
    return count;
}

struct selection {
    char (*names)[MAX_NAME];
    size_t count;
};

static void each_attack_ends_as_it_says(void **state)
{
    const struct selection *selection = *state;
    struct gw_sandbox_limits limits;
    struct gw_sources *sources = gw_sources_create();
    struct gw_buffer victim;
    gw_buffer_init(&victim, 0);
    gw_buffer_append_text(&victim, victim_text);
    add_module(sources, "victim", &victim);
    struct gw_sandbox *other = open_sandbox(sources, &limits, NULL);
    size_t failed = 0;
    for (size_t i = 0; i < selection->count; i++)
        failed += attack_and_see(selection->names[i], other) ? 0 : 1;
    gw_sandbox_destroy(other);
    gw_sources_unref(sources);
    gw_buffer_fini(&victim);
    assert_true(selection->count > 0);
    assert_int_equal(failed, 0);
}

int main(int argc, char **argv)
{
    static char names[MAX_ATTACKS][MAX_NAME];
    struct selection selection = {names, 0};
    for (int i = 1; i < argc && i < MAX_ATTACKS; i++)
        snprintf(names[selection.count++], MAX_NAME, "%s", argv[i]);
    if (argc == 1)
        selection.count = list_attacks(names);
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(each_attack_ends_as_it_says, &selection)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
