/* That nothing a script does in one call shows in another, nor in another process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "script/sandbox_support.h"

static void refused(const char *text, const char *where, const char *what) { assert_fails(text, NULL, "script_failed", where, what); }

static void a_kept_function_may_not_change_an_outer_local(void **state)
{
    (void)state;
    refused("local n = 0\nreturn {f = function()\n n = n + 1\n return n end}", "m.lua:3", "may not change 'n'");
    refused("local function make()\n local n = 0\n return function()\n n = n + 1\n return n end end\nreturn {f = make()}", "m.lua:4",
            "'n'");
    refused("local n = 0\nreturn {f = function()\n local function g()\n n = 1 end\n g() end}", "m.lua:4", "'n'");
    refused("local n = 0\nlocal function inner() n = n + 1 end\nreturn {f = function() inner() end}", "m.lua:2", "'n'");
    refused("local n = 0\nlocal t = setmetatable({}, {__index = function() n = n + 1 end})\nreturn {t = t, f = function() end}", "m.lua:2",
            "'n'");
    refused("return {f = function() _ENV = {} end}", "m.lua:1", "'_ENV'");
}

static void a_call_may_change_its_own_locals_from_closures(void **state)
{
    (void)state;
    assert_gives("return {f = function() local n = 0 local function add() n = n + 1 end add() add() return n end}", NULL, "2");
    assert_gives("return {f = function() local n = 0 local function outer() return function() n = n + 1 end end outer()() return n end}",
                 NULL, "1");
}

static void a_file_may_change_its_locals_while_it_loads(void **state)
{
    (void)state;
    assert_gives("local n = 0 for i = 1, 3 do n = n + i end local function add() n = n + 1 end add() return {f = function() return n end}",
                 NULL, "7");
}

static void an_iterator_cannot_be_kept(void **state)
{
    (void)state;
    refused("local next = pairs({a = 1})\nreturn {f = function() return next() end}", NULL, "iterator");
    refused("local next = string.gmatch('a b c', '%a')\nreturn {f = function() return next() end}", NULL, "iterator");
}

static void what_a_file_made_is_frozen(void **state)
{
    (void)state;
    static const char *const writes[] = {
        "t.x = 1",
        "t.list[1] = 9",
        "t.deep.er.x = 1",
        "table.insert(t.list, 4)",
        "table.sort(t.list, function(a, b) return a > b end)",
        "table.remove(t.list)",
        "setmetatable(t, {})",
        "t[t] = 1",
        "t.list[#t.list + 1] = 1",
        "t[1.5] = 1",
        "for k in pairs(t) do t[k] = nil end",
        "string.format = 1",
        "math.pi = 3",
        "require('atoms.json').null = 1",
        "_ENV.pairs = ipairs",
        "x = 1",
        "t.object.n = 2",
    };
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        char text[600];
        snprintf(text, sizeof text,
                 "local class = {} class.__index = class\n"
                 "local t = {list = {3, 1, 2}, deep = {er = {}}, object = setmetatable({n = 1}, class)}\n"
                 "return {f = function()\n%s\nend}",
                 writes[i]);
        refused(text, "m.lua:4", writes[i][0] == 'x' || writes[i][0] == '_' ? "global" : "frozen");
    }
}

static void a_frozen_table_reads_like_any_other(void **state)
{
    (void)state;
    const char *text =
        "local class = {} class.__index = class\n"
        "class.__call = function(self, n) return self.n + n end class.__len = function() return 42 end\n"
        "function class.get(self) return self.n end\n"
        "local derived = setmetatable({}, {__index = class}) derived.__index = derived\n"
        "local lazy = setmetatable({a = 1}, {__index = function(t, k) return k .. tostring(t.a) end})\n"
        "local t = {list = {3, 1, 2, 'x'}, o = setmetatable({n = 5}, class), d = setmetatable({n = 6}, derived), empty = {}}\n"
        "local eq = {__eq = function() return true end} local a, b = setmetatable({}, eq), setmetatable({}, eq)\n"
        "return {f = function()\n"
        "  local sum, keys = 0, {}\n"
        "  for i in ipairs(t.list) do sum = sum + i end\n"
        "  for k in pairs(t) do keys[#keys + 1] = k end\n"
        "  local fresh = setmetatable({n = 7}, derived)\n"
        "  return {#t.list, sum, table.concat(t.list, ','), keys, t.o:get(), t.o(1), #t.o, t.d:get(), #t.empty, lazy.a, lazy.zz,\n"
        "    select('#', table.unpack(t.list)), fresh:get(), getmetatable(fresh) == derived, getmetatable(t.o) == class, a == b,\n"
        "    getmetatable(t) == nil, t.list, rawequal(t, t)}\n"
        "end}";
    assert_gives(text, NULL,
                 "[4,10,\"3,1,2,x\",[\"d\",\"empty\",\"list\",\"o\"],5,6,42,6,0,1,\"zz1\",4,7,true,true,true,true,[3,1,2,\"x\"],true]");
}

static void a_metatable_may_not_act_on_garbage_or_scopes(void **state)
{
    (void)state;
    refused("return {f = function() setmetatable({}, {__gc = function() end}) end}", "m.lua:1", "__gc");
    refused("return {f = function() setmetatable({}, {__mode = 'k'}) end}", "m.lua:1", "__mode");
    refused("return {f = function() setmetatable({}, {__close = function() end}) end}", "m.lua:1", "__close");
    refused("return {f = function() local m = {} setmetatable({}, m) m.__gc = 1 end}", "m.lua:1", "frozen");
    refused("return {f = function() local x <close> = {} end}", "m.lua:1", "non-closable");
    refused("local m = {__gc = 1} return {f = function() setmetatable({}, m) end}", "m.lua:1", "__gc");
    refused("return {f = function() local m = {} setmetatable(m, m) end}", "m.lua:1", "own metatable");
    refused("return {f = function() getmetatable('').__index = 1 end}", "m.lua:1", "boolean");
}

static void nothing_shows_an_address(void **state)
{
    (void)state;
    assert_gives("return {f = function(a) return {tostring(a), tostring(pairs), tostring(require('atoms.json').null), tostring({}), "
                 "tostring(1.5)} end}",
                 "[[]]", "[\"table\",\"function\",\"null\",\"table\",\"1.5\"]");
    refused("return {f = function() return string.format('%p', {}) end}", "m.lua:1", NULL);
    refused("return {f = function() return 'a' .. {} end}", "m.lua:1", "a table value");
    assert_fails("return {f = function() error(setmetatable({}, {__tostring = function() return 'x' end})) end}", NULL, "script_failed",
                 "m.lua:1", "type table");
}

static void order_has_no_place_for_other_keys(void **state)
{
    (void)state;
    refused("return {f = function() for k in pairs({[{}] = 1}) do end end}", "m.lua:1", "a key that is a table");
    refused("return {f = function() for k in pairs({[true] = 1}) do end end}", "m.lua:1", "a key that is a boolean");
}

static void a_table_that_became_a_metatable_shows_its_own_members_only(void **state)
{
    (void)state;
    assert_gives("local class = {a = 1} local o = setmetatable({}, class)\n"
                 "return {f = function() local keys, fresh = {}, {b = 1} setmetatable({}, fresh)\n"
                 "for k in pairs(class) do keys[#keys + 1] = k end for k in pairs(fresh) do keys[#keys + 1] = k end\n"
                 "return {keys, class, fresh, getmetatable(o) == class} end}",
                 NULL, "[[\"a\",\"b\"],{\"a\":1},{\"b\":1},true]");
}

static void pairs_visits_what_was_there_and_still_is(void **state)
{
    (void)state;
    assert_gives(
        "return {f = function() local t, seen = {a = 1, b = 2, c = 3}, {} for k in pairs(t) do seen[#seen + 1] = k t.b = nil t.z = 1 end\n"
        "return seen end}",
        NULL, "[\"a\",\"c\"]");
    assert_gives("return {f = function() local t, o = {[2^53] = 1, [-1] = 1, [1.5] = 1, [0] = 1, ['10'] = 1, ['9'] = 1}, {}\n"
                 "for k in pairs(t) do o[#o + 1] = tostring(k) end return o end}",
                 NULL, "[\"-1\",\"0\",\"1.5\",\"9007199254740992\",\"10\",\"9\"]");
    assert_gives("return {f = function() local t = setmetatable({}, {__pairs = function(t) return function(_, k) if not k then return 1, 2 "
                 "end end, t end})\n"
                 "local n = 0 for k, v in pairs(t) do n = n + k + v end return n end}",
                 NULL, "3");
}

static void modules_that_need_each_other_are_an_error(void **state)
{
    (void)state;
    struct file files[] = {
        {"m", "return require 'a'"}, {"a", "return require 'b'"}, {"b", "return require 'a'"}, {"c", "error('no')"}, {NULL, NULL}};
    char out[64];
    struct gw_error err;
    struct gw_sandbox *box = box_of(files, NULL);
    assert_int_not_equal(call_f(box, NULL, out, sizeof out, &err), 0);
    assert_string_equal(err.path, "b.lua:1");
    assert_non_null(strstr(err.message, "a -> b -> a"));
    gw_sandbox_destroy(box);
    files[0].text = "pcall(require, 'c') local ok, e = pcall(require, 'c') return {f = function() return e end}";
    box = box_of(files, NULL);
    assert_int_equal(call_f(box, NULL, out, sizeof out, &err), 0);
    assert_string_equal(out, "\"c.lua:1: no\"");
    gw_sandbox_destroy(box);
}

/* Shows the order of a hash, if anything does. */
static const char revealing[] = "local t = {}\n"
                                "for i = 1, 100 do t['key' .. i * 7919 % 101] = i end\n"
                                "return {f = function(a)\n"
                                "  local o = {}\n"
                                "  for k, v in pairs(t) do o[#o + 1] = k .. v end\n"
                                "  for k, v in pairs(a) do o[#o + 1] = k .. tostring(v) end\n"
                                "  local mixed = {1, 2, 3, x = 1, y = 2} mixed[5] = 5 mixed.z = 1 mixed[7] = 7\n"
                                "  o[#o + 1] = #mixed\n"
                                "  return {o, require('atoms.json').encode(t), tostring(o), select(2, pcall(error, {})) ~= nil}\n"
                                "end}";

static void print_result(char *out, size_t size)
{
    struct gw_error err;
    struct gw_sandbox *box = box_of_text(revealing);
    if (call_f(box, "[{\"b\":1,\"a\":2,\"zeta\":3,\"y\":4,\"alpha\":5,\"omega\":6}]", out, size, &err) != 0)
        fail_msg("%s: %s", err.path, err.message);
    gw_sandbox_destroy(box);
}

static void two_processes_give_the_same_bytes(void **state)
{
    (void)state;
    char ours[8192], theirs[8192];
    print_result(ours, sizeof ours);
    for (int i = 0; i < 4; i++) {
        int ends[2], status;
        size_t length = 0;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            dup2(ends[1], STDOUT_FILENO);
            close(ends[0]);
            execl("/proc/self/exe", "test_sandbox_purity", "--print", (char *)NULL);
            _exit(127);
        }
        close(ends[1]);
        ssize_t got;
        while (length < sizeof theirs - 1 && (got = read(ends[0], theirs + length, sizeof theirs - 1 - length)) > 0)
            length += (size_t)got;
        theirs[length] = '\0';
        close(ends[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_string_equal(theirs, ours);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        char out[8192];
        print_result(out, sizeof out);
        fputs(out, stdout);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kept_function_may_not_change_an_outer_local),
        cmocka_unit_test(a_call_may_change_its_own_locals_from_closures),
        cmocka_unit_test(a_file_may_change_its_locals_while_it_loads),
        cmocka_unit_test(an_iterator_cannot_be_kept),
        cmocka_unit_test(what_a_file_made_is_frozen),
        cmocka_unit_test(a_frozen_table_reads_like_any_other),
        cmocka_unit_test(a_metatable_may_not_act_on_garbage_or_scopes),
        cmocka_unit_test(nothing_shows_an_address),
        cmocka_unit_test(order_has_no_place_for_other_keys),
        cmocka_unit_test(a_table_that_became_a_metatable_shows_its_own_members_only),
        cmocka_unit_test(pairs_visits_what_was_there_and_still_is),
        cmocka_unit_test(modules_that_need_each_other_are_an_error),
        cmocka_unit_test(two_processes_give_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
