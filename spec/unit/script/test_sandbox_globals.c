#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "script/sandbox_support.h"

#define LIST "lua/sandbox.lua"

/* Compares both ways, within the sandbox: pairs shows all of a frozen table. */
static const char walk[] =
    "local list = require 'list'\n"
    "local function report(found, ...) found[#found + 1] = table.concat({...}, ' ') end\n"
    "local function compare(found, name, table, expected, skip)\n"
    "  local known = {}\n"
    "  for _, key in ipairs(expected.functions) do\n"
    "    known[key] = true\n"
    "    if type(table[key]) ~= 'function' then report(found, name, 'lacks', key) end\n"
    "  end\n"
    "  for _, key in ipairs(expected.values) do\n"
    "    known[key] = true\n"
    "    if table[key] == nil or type(table[key]) == 'function' then report(found, name, 'lacks', key) end\n"
    "  end\n"
    "  for key in pairs(table) do if not known[key] and not skip[key] then report(found, name, 'has', tostring(key)) end end\n"
    "end\n"
    "return {f = function()\n"
    "  local found = {}\n"
    "  compare(found, 'globals', _ENV, list, list.libraries)\n"
    "  for name, library in pairs(list.libraries) do compare(found, name, _ENV[name], library, {}) end\n"
    "  for name, module in pairs(list.modules) do compare(found, name, require(name), module, {}) end\n"
    "  return found\n"
    "end}\n";

static void the_environment_is_what_its_list_says(void **state)
{
    (void)state;
    struct gw_error err = {0};
    char out[4096];
    struct gw_buffer list;
    gw_buffer_init(&list, 0);
    if (gw_file_read(LIST, 1 << 16, &list, &err) != 0)
        fail_msg("%s: %s", err.path, err.message);
    gw_buffer_append_char(&list, '\0');
    struct file files[] = {{"m", walk}, {"list", list.data}, {NULL, NULL}};
    struct gw_sandbox *box = box_of(files, NULL);
    if (call_f(box, NULL, out, sizeof out, &err) != 0)
        fail_msg("%s: %s", err.path, err.message);
    assert_string_equal(out, "{}");
    gw_sandbox_destroy(box);
    gw_buffer_fini(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_environment_is_what_its_list_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
