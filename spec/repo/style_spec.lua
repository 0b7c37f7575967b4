-- What of the style can be counted: sizes, header contracts, calls that are banned, globals, formatting.

local tree = require("repo.tree")

local SOURCES = tree.files({ "core", "bench", "spec" }, { "c", "h" })
local OURS = tree.files({ "core" }, { "c", "h" })
local LUA = tree.files({ "spec", "lua", "canvases", "policies", "bench" }, { "lua" })

--- Every fault at once, one a line.
local function none(faults)
  assert(#faults == 0, "\n" .. table.concat(faults, "\n"))
end

describe("sizes:", function()
  --- A long table of data is exempt when its head comment says that it is one.
  local function is_data_table(path)
    return tree.read(path):sub(1, 600):find("data table", 1, true) ~= nil
  end

  it("files under 500 lines, headers under 150", function()
    local faults = {}
    for _, list in ipairs({ SOURCES, LUA }) do
      for _, path in ipairs(list) do
        local limit = path:find("^core/.*%.h$") and 150 or 500
        local count = #tree.lines(path)
        if count >= limit and not is_data_table(path) then
          faults[#faults + 1] = ("%s has %d lines"):format(path, count)
        end
      end
    end
    none(faults)
  end)

  local libraries = { "^SSL_", "^X509_", "^EVP_", "^uv_", "^curl_", "^CURL", "^sqlite3_", "^lua_", "^llhttp_", "^wslay_", "^json_" }

  --- The one reason to take more: a library calls it. The comment right above says "parameters are those of" its callback type.
  local function is_callback(path, line)
    local lines, above = tree.lines(path), ""
    for number = line - 1, math.max(1, line - 4), -1 do
      above = lines[number] .. "\n" .. above
      if lines[number]:find("^/%*") then
        break
      end
    end
    local callback = above:match("/%*.*parameters are those of ([%w_]+)%..*%*/%s*$")
    for _, library in ipairs(libraries) do
      if callback and callback:find(library) then
        return true
      end
    end
    return false
  end

  it("functions under 60 lines, with at most 5 parameters beside the error", function()
    local faults, count = {}, 0
    for _, path in ipairs(SOURCES) do
      for _, one in ipairs(path:find("%.c$") and tree.functions(path) or {}) do
        count = count + 1
        if one.length >= 60 then
          faults[#faults + 1] = ("%s:%d: %s has %d lines"):format(path, one.line, one.name, one.length)
        end
        if one.parameters > 5 and path:find("^core/") and not is_callback(path, one.line) then
          faults[#faults + 1] = ("%s:%d: %s has %d parameters"):format(path, one.line, one.name, one.parameters)
        end
      end
    end
    none(faults)
    assert.is_true(count > 500, "the functions were not found")
  end)
end)

describe("headers", function()
  it("begin with their contract: name, dash, what it is for", function()
    local faults = {}
    for _, path in ipairs(tree.files({ "core" }, { "h" })) do
      local name = path:match("([^/]+)$")
      local first = tree.read(path):match("^/%*(.-)%*/")
      if not first or not first:find("^ " .. name:gsub("%.", "%%.") .. " — ") or #first < 40 then
        faults[#faults + 1] = path
      end
    end
    none(faults)
  end)

  it("are guarded by a name that follows from theirs", function()
    local faults = {}
    for _, path in ipairs(tree.files({ "core" }, { "h" })) do
      local name = path:match("([%w_]+)%.h$"):upper() .. "_H"
      local first, second = tree.read(path):match("\n#ifndef ([%w_]+)\n#define ([%w_]+)\n")
      if not first or first ~= second or not first:find("^GW_.*" .. name .. "$") then
        faults[#faults + 1] = path
      end
    end
    none(faults)
  end)
end)

describe("calls", function()
  local banned = { "strcpy", "strcat", "strncpy", "strncat", "sprintf", "vsprintf", "strtok", "atoi", "atol", "atof", "alloca", "gets",
                   "system", "popen", "rand", "srand", "tmpnam" }
  local allocators = { "malloc", "calloc", "realloc", "free", "strdup", "strndup" }

  local function find_calls(names, is_exempt)
    local faults = {}
    for _, path in ipairs(OURS) do
      local number = 0
      for line in (tree.code(path) .. "\n"):gmatch("(.-)\n") do
        number = number + 1
        for _, name in ipairs(names) do
          if line:find("%f[%w_]" .. name .. "%(") and not is_exempt(path) and not line:find("[.>]" .. name .. "%(") then
            faults[#faults + 1] = ("%s:%d: %s"):format(path, number, name)
          end
        end
      end
    end
    none(faults)
  end

  it("that cannot be bounded are not made", function()
    find_calls(banned, function() return false end)
  end)

  it("for memory go through base/alloc.h", function()
    find_calls(allocators, function(path) return path == "core/base/alloc.c" end)
  end)
end)

describe("state", function()
  --- A variable of file or static life that is not const. The one exception says why in its file.
  local excused = { ["core/base/alloc.c"] = "fallible" }

  it("hangs off an object: there are no mutable globals", function()
    local faults = {}
    for _, path in ipairs(OURS) do
      local number = 0
      for line in (tree.code(path) .. "\n"):gmatch("(.-)\n") do
        number = number + 1
        local declared = line:match("^%s*static%s+([^({;=]*[;=%[])") or line:match("^static%s+([^({]*){%s*$")
          or line:match("^(struct%s+[%w_]+%s+%**[%w_]+)%s*[;=%[]") or line:match("^([%a_][%w_]*%s+%**[%w_]+)%s*[;=%[]")
        local is_const = line:find("%f[%w]const%f[%W]") or line:find("^%s*typedef") or line:find("^%s*extern") or line:find("^%s*return")
          or line:find("^struct%s+[%w_]+;") or line:find("^enum%s+[%w_]+;")
        if declared and not is_const and not excused[path] then
          faults[#faults + 1] = ("%s:%d: %s"):format(path, number, line)
        end
      end
    end
    none(faults)
  end)
end)

describe("words", function()
  -- Put together here, so that this file does not hold them.
  local forbidden = { "/wo" .. "rk/", "TO" .. "DO", "FIX" .. "ME", "XX" .. "X:", "HA" .. "CK:" }

  it("about the place where this was written, or about what is left to do, are nowhere", function()
    local faults = {}
    local paths = tree.files({ "core", "lua", "policies", "canvases", "web", "docs", "scripts", "spec", "bench", "vendor", ".ci" }, { "*" })
    for path in tree.run("find . -maxdepth 1 -type f ! -name .git"):gmatch("[^\n]+") do
      paths[#paths + 1] = path
    end
    for _, path in ipairs(paths) do
      if not path:find("/corpus/", 1, true) and not path:find("node_modules", 1, true) then
        local text = tree.read(path)
        for _, one in ipairs(forbidden) do
          if text:find(one) then
            faults[#faults + 1] = ("%s holds %s"):format(path, one)
          end
        end
      end
    end
    none(faults)
  end)
end)

describe("scripts", function()
  local scripts = tree.files({ "scripts", ".ci" }, { "*" })

  it("can be run, all that are programs", function()
    local faults = {}
    for _, path in ipairs(scripts) do
      local is_program = tree.read(path):find("^#!")
      local _, can_run = tree.run("test -x " .. path)
      if (is_program ~= nil) ~= can_run then
        faults[#faults + 1] = path
      end
    end
    none(faults)
  end)

  it("are right for the shell that reads them", function()
    local faults = {}
    for _, path in ipairs(scripts) do
      if tree.read(path):find("^#!/usr/bin/env bash") then
        local output, ok = tree.run("bash -n " .. path)
        faults[#faults + 1] = not ok and output or nil
      end
    end
    none(faults)
  end)
end)

describe("checkers:", function()
  it("luacheck has nothing to say", function()
    local output, ok = tree.run("luacheck --no-color --quiet spec lua canvases policies bench .busted")
    assert(ok, output)
  end)

  it("clang-format would change nothing in core/", function()
    local output, ok = tree.run("clang-format --dry-run -Werror " .. table.concat(OURS, " "))
    local files, list = {}, {}
    for path in output:gmatch("([^\n:]+):%d+:%d+: error") do
      list[#list + 1] = not files[path] and path or nil
      files[path] = true
    end
    assert(ok, table.concat(list, "\n"))
  end)

  it("the copies of the rules equal their source", function()
    local output, ok = tree.run("scripts/agents --check")
    assert(ok, output)
  end)
end)
