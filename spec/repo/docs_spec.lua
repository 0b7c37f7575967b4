-- The documents say what the source says: routes, refusals, events, commands, variables.

local api = require("support.api")
local tree = require("repo.tree")

local function source_of(folders)
  local parts = {}
  for _, path in ipairs(tree.files(folders, { "c", "h" })) do
    parts[#parts + 1] = tree.read(path)
  end
  return table.concat(parts, "\n")
end

local function none(faults)
  table.sort(faults)
  assert(#faults == 0, "\n" .. table.concat(faults, "\n"))
end

describe("the scripting guide and the type stubs", function()
  it("are what scripts/stubs writes", function()
    local output = assert(io.popen("scripts/stubs --check 2>&1"))
    local said = output:read("a")
    assert(output:close(), said)
  end)

  it("tell what each function of the library does and answers", function()
    local faults = {}
    for line in tree.read("docs/scripting.md"):gmatch("[^\n]+") do
      local name, about, answers = line:match("^| `([%w_]+%.[%w_]+%b())` | (.*) | (.*) |$")
      faults[#faults + 1] = name and (about == "" or answers == "") and name or nil
    end
    none(faults)
  end)

  it("leave no module of the library out", function()
    local library, told = dofile("lua/library.lua"), {}
    for _, module in ipairs(library.scripts) do
      told["lua/atoms/" .. module.name .. ".lua"] = true
    end
    for _, list in ipairs({ library.clients, library.tools }) do
      for _, name in ipairs(list) do
        told["lua/atoms/" .. name .. ".lua"] = true
      end
    end
    for _, path in ipairs(tree.files({ "lua/atoms" }, { "lua" })) do
      assert(told[path], path .. " is not told of in lua/library.lua")
    end
  end)
end)

describe("lua/api.lua", function()
  local described = dofile("lua/api.lua")

  it("tells of every hook, and of no others", function()
    local told, known = {}, {}
    for _, hook in ipairs(described.hooks) do
      told[hook.name:match("[^.]+$"):gsub("^transforms$", "transform")] = true
    end
    told.rate = nil -- data
    for name in tree.read("core/script/host_call.c"):match("hook_names%[[^%]]*%] = {(.-)}"):gmatch('"(%l+)"') do
      known[name] = true
    end
    assert.same(known, told)
  end)

  --- Where each shape is made or read.
  local MADE = {
    Actor = { "core/script/host_call.c" },
    Scope = { "core/script/host_call.c" },
    Command = { "core/script/host_commands.c" },
    View = { "core/script/host_commands.c" },
    Refusal = { "core/script/host_commands.c" },
    Op = { "core/script/host_commands.c" },
    Rate = { "core/script/host_commands.c" },
    ContextRequest = { "core/script/host_context.c" },
    ContextItem = { "core/script/context_items.c" },
    TransformBlock = { "core/hub/lens.c" },
    TransformMessage = { "core/hub/lens.c" },
    Transform = { "core/script/transforms.c" },
    Block = { "core/hub/run_policy.c", "core/hub/state_write.c", "core/transport/context_view.c" },
    ContextView = { "core/hub/run_read.c", "core/hub/state_write.c", "core/transport/context_view.c" },
    Message = { "core/hub/chat_save.c", "core/transport/context_view.c" },
    LogLine = { "core/hub/resolve_log.c" },
  }

  it("describes members that the source knows", function()
    local faults = {}
    for _, shape in ipairs(described.shapes) do
      local source = {}
      for i, path in ipairs(assert(MADE[shape.name], "where is it made: " .. shape.name)) do
        source[i] = tree.read(path)
      end
      local text = table.concat(source)
      for _, field in ipairs(shape) do
        local is_there = text:find('%f[%w_]' .. field[1] .. '\\?"')
        faults[#faults + 1] = not is_there and shape.name .. "." .. field[1] or nil
      end
    end
    none(faults)
  end)
end)

describe("the OpenAPI document", function()
  it("has the routes of the program and no others", function()
    local routed, documented = {}, {}
    for method, path in tree.read("core/transport/routes.c"):gmatch('{"(%u+)", "([^"]+)"') do
      routed[#routed + 1] = method .. " " .. path
    end
    for i, operation in ipairs(api.operations()) do
      documented[i] = operation:gsub("{[^}]*}", "{}")
    end
    table.sort(routed)
    assert.same(routed, documented)
  end)

  --- Codes that never leave the process as a problem: they stop a start, or name damage that is logged, or become another code.
  local INSIDE = {
    "^config_", "^data_", "^manifest_", "^file_", "^folder_", "^spine_[^u]", "^tls_", "_damaged$", "^bad_jwks?$", "^bad_key_set$",
    "^weak_secret$", "^bad_seal_keys$", "^bad_op$", "^bad_event$", "^bad_checkpoint$", "^bad_default$", "^unknown_type$", "^order_no_room$",
    "^splice_out_of_range$", "^parser_failed$", "^sse_block_too_large$", "^too_many_listeners$", "^closed$",
    "^plan_", "^too_many_children$", -- become policy_failed
    "^too_many_streams$", -- said in the stream, as a verdict
  }

  local function is_inside(code)
    for _, one in ipairs(INSIDE) do
      if code:find(one) then
        return true
      end
    end
    return false
  end

  local request_time = { "core/transport", "core/hub", "core/protocol", "core/identity", "core/base" }

  it("has every code that a request can be refused with", function()
    local codes, faults = api.codes(), {}
    for _, folder in ipairs(request_time) do
      for _, path in ipairs(tree.files({ folder }, { "c" })) do
        local text = tree.read(path)
        local is_schema = path:find("manifest", 1, true) or path:find("value_schema", 1, true) or path:find("graph_schema", 1, true)
        for code in text:gmatch('gw_error_set%([^,]+, GW_E%u+,%s+"([%l_]+)"') do
          faults[#faults + 1] = not codes[code] and not is_inside(code) and not is_schema and (path .. ": " .. code) or nil
        end
        for code in text:gmatch('gw_error_limit%([^,]+, "([%l_]+)"') do
          faults[#faults + 1] = not codes[code] and not is_inside(code) and not is_schema and (path .. ": " .. code) or nil
        end
      end
    end
    none(faults)
  end)

  it("has no code that nothing in the source gives", function()
    local source, faults = source_of({ "core" }), {}
    for code in pairs(api.codes()) do
      faults[#faults + 1] = not source:find("%f[%w_]" .. code .. "%f[^%w_]") and code or nil
    end
    none(faults)
  end)
end)

describe("the limits that refusals name", function()
  --- Limits that stop a start or a fetch of the gateway's own, and never a request.
  local INSIDE = { max_block_bytes = true, max_bytes = true, max_file_bytes = true, max_listeners = true, max_relabels = true }

  it("are settings, or are documented as fixed under the same name", function()
    local settings, fixed, faults = tree.read("core/app/config_schema.c"), tree.read("docs/contract.md") .. tree.read("docs/errors.md"), {}
    for _, path in ipairs(tree.files({ "core/transport", "core/hub", "core/protocol", "core/identity", "core/base" }, { "c" })) do
      local text, is_asked = tree.read(path), not path:find("manifest", 1, true)
      local function check(name)
        local is_known = settings:find("LIMIT(" .. name .. ",", 1, true) or fixed:find("`" .. name .. "`", 1, true)
        faults[#faults + 1] = is_asked and not is_known and not INSIDE[name] and not name:find("^max_flow_") and path .. ": " .. name or nil
      end
      for name in text:gmatch('gw_error_limit%([^,]+, [%w_"%->.]+,%s*"([%l_]+)"') do
        check(name)
      end
      for name in text:gmatch('"([%l_]*max_[%l_]+)"') do
        check(name)
      end
      for name in text:gmatch('gw_error_name_limit%([^,]+, "([%l_]+)"') do
        check(name)
      end
    end
    none(faults)
  end)
end)

describe("docs/errors.md", function()
  it("explains every code of the OpenAPI document, and no others", function()
    local text, known, faults = tree.read("docs/errors.md"), api.codes(), {}
    for code in pairs(known) do
      faults[#faults + 1] = not text:find("`" .. code .. "`", 1, true) and "missing: " .. code or nil
    end
    for row in text:gmatch("\n| %d[^|]*|([^|]*)|") do
      for code in row:gmatch("`([%l_]+)`") do
        faults[#faults + 1] = not known[code] and "unknown: " .. code or nil
      end
    end
    none(faults)
  end)
end)

describe("the AsyncAPI document", function()
  --- Events that the domain knows and nothing makes yet.
  local function names_of_events()
    local list = {}
    local body = tree.read("core/hub/event.c"):match("names%[[^%]]*%] = {(.-)};")
    for name in (body or ""):gmatch('"([%a_]+)"') do
      list[#list + 1] = name
    end
    return list
  end

  it("has no message that the program does not know", function()
    local known, faults = { resume = true, auth_expiring = true, goaway = true, position = true, lens_changed = true }, {}
    for name in tree.read("core/hub/ephemera.c"):match("gw_ephemeral_name.-\n"):gmatch('"(%a+)"') do
      known[name] = true
    end
    local names = names_of_events()
    assert.is_true(#names > 5)
    for _, name in ipairs(names) do
      known[name] = true
    end
    for name in pairs(api.messages()) do
      faults[#faults + 1] = not known[name] and name or nil
    end
    none(faults)
  end)
end)

describe("docs/contract.md", function()
  local text = tree.read("docs/contract.md")

  it("speaks of every route", function()
    local faults = {}
    for _, operation in ipairs(api.operations()) do
      local path = operation:match(" (/[%w/]*)")
      faults[#faults + 1] = not text:find(path, 1, true) and path or nil
    end
    none(faults)
  end)

  it("speaks of every command", function()
    local faults = {}
    for name in tree.read("core/hub/resolve.c"):gmatch('{"([%l_]+%.?[%l_.]*)", ') do
      faults[#faults + 1] = not text:find("`" .. name .. "`", 1, true) and name or nil
    end
    none(faults)
  end)

  it("speaks of every frame", function()
    local faults = {}
    for name in pairs(api.messages()) do
      faults[#faults + 1] = name ~= "position" and not text:find("`" .. name .. "`", 1, true) and name or nil
    end
    none(faults)
  end)
end)

describe("docs/operations.md", function()
  local text = tree.read("docs/operations.md")

  it("speaks of every variable of the environment and every setting", function()
    local faults = {}
    local schema = tree.read("core/app/config_schema.c")
    for name in schema:gmatch('"(ATOMS_[%u_]+)"') do
      faults[#faults + 1] = not text:find(name, 1, true) and name or nil
    end
    for name in schema:gmatch("\n    LIMIT%(([%l_]+),") do
      faults[#faults + 1] = not text:find(name, 1, true) and name or nil
    end
    none(faults)
  end)

  it("speaks of every metric", function()
    local faults = {}
    for name in source_of({ "core" }):gmatch('"(atoms_[%l_]+)"') do
      faults[#faults + 1] = not text:find(name, 1, true) and name or nil
    end
    none(faults)
  end)

  it("speaks of every route of the admin listener", function()
    for _, path in ipairs({ "/healthz", "/readyz", "/metrics", "/admin/streams" }) do
      assert.is_truthy(text:find(path, 1, true), path)
    end
  end)
end)

describe("examples in Lua", function()
  it("are Lua", function()
    local faults = {}
    for _, path in ipairs({ "docs/scripting.md", "policies/README.md", "canvases/README.md" }) do
      for text in tree.read(path):gmatch("```lua\n(.-)```") do
        local is_good = load(text) or load("return {" .. text .. "}")
        faults[#faults + 1] = not is_good and path .. ": " .. select(2, load(text)) or nil
      end
    end
    none(faults)
  end)
end)

describe("links", function()
  it("in the documents lead to files that are there", function()
    local faults = {}
    local documents = tree.files({ "docs", "core", "vendor", "bench", "policies", "canvases", "lua", "web", "spec" }, { "md" })
    for path in tree.run("find . -maxdepth 1 -name '*.md'"):gmatch("[^\n]+") do
      documents[#documents + 1] = path
    end
    for _, path in ipairs(documents) do
      path = path:gsub("^docs/agents%.md$", "AGENTS.md") -- written for the places that it is copied to
      local folder = path:match("^(.*)/[^/]*$") or "."
      for target in tree.read(path):gmatch("%]%(([^)#:%s]+)#?[^):%s]*%)") do
        local _, is_there = tree.run(("test -e '%s/%s'"):format(folder, target))
        faults[#faults + 1] = not is_there and path .. " → " .. target or nil
      end
    end
    none(faults)
  end)

  it("to files of the tree that are named in code marks lead to files that are there", function()
    local faults = {}
    for _, path in ipairs(tree.files({ "docs" }, { "md" })) do
      for target in tree.read(path):gmatch("`((%l+)/[%w_./]+%.%l+)`") do
        local folder = target:match("^%l+")
        local is_ours = ({ core = 1, spec = 1, docs = 1, scripts = 1, canvases = 1, lua = 1, bench = 1 })[folder]
        local _, is_there = tree.run(("test -e '%s'"):format(target))
        faults[#faults + 1] = is_ours and not is_there and path .. " → " .. target or nil
      end
    end
    none(faults)
  end)
end)
