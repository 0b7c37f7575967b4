-- `atoms check` looks at everything, whatever is wrong with some of it, and names what it is about.

local support = require("support")
local json, shell = support.json, support.shell
local gateways = require("support.gateway")
local policies = require("support.policies")

describe("atoms check", function()
  local canvases

  before_each(function()
    canvases = shell.folder() .. "/canvases"
    shell.must({ "cp", "-r", "canvases", canvases })
  end)

  teardown(shell.clean)

  local function run(folder, ...)
    return shell.run({ "env", "ATOMS_CANVASES_DIR=" .. canvases, "timeout", "20", gateways.bin, "check", folder.path, ... })
  end

  --- The findings by their codes: {where without folders and line, message, hint, pointer, severity}, the last of each.
  local function check(folder)
    local result = run(folder, "--json")
    local report = json.must(result.out)
    local found = {}
    for _, finding in ipairs(report.findings) do
      found[finding.code] = finding
      finding.file = finding.where:match("([^/]+)$"):gsub(":%d+$", "")
    end
    return found, report, result.code
  end

  local function canvas(name, manifest, commands)
    shell.must({ "mkdir", "-p", canvases .. "/" .. name })
    shell.write(canvases .. "/" .. name .. "/manifest.lua",
      ('return { name = "%s", version = "1", api = 1, title = "T", harness = "h", %s }'):format(name, manifest))
    if commands then
      shell.write(canvases .. "/" .. name .. "/commands.lua", commands)
    end
  end

  it("reports each bad file and looks at the rest all the same", function()
    local folder = policies.folder({
      ["commands/big.lua"] = ("-- x\n"):rep(60000), ["commands/bom.lua"] = "\239\187\191return {}", ["commands/wide.lua"] = "\255\254r\0",
      ["commands/empty.lua"] = "", ["ceiling.lua"] = "return { plans = {} }", ["spec/bad_spec.lua"] = "describe(",
      ["token_lens.lua"] = policies.lens("return { tokens = { reed = {} } }"),
    })
    for link, target in pairs({ ["gone.lua"] = "/nowhere", ["out.lua"] = "/etc/passwd" }) do
      shell.must({ "ln", "-s", target, folder.path .. "/" .. link })
    end
    shell.must({ "mkfifo", folder.path .. "/fifo.lua" })
    shell.must({ "mkdir", "-p", folder.path .. "/tenants/t/ceiling.lua" })
    local found, report, code = check(folder)
    assert.equal(1, code)
    for id, file in pairs({
      source_too_large = "big.lua", script_encoding = "wide.lua", script_failed = "empty.lua", ceiling_bad_member = "ceiling.lua",
      script_syntax = "bad_spec.lua", plan_bad_shape = "token_lens.lua", script_link = "out.lua", file_unreadable = "fifo.lua",
      script_bad_name = "ceiling.lua",
    }) do
      local finding = found[id] or found.file_too_large
      assert.is_truthy(finding, id)
      assert.equal(file, finding.file)
      assert.is_truthy(finding.hint, id)
    end
    assert.equal(11, report.errors)
    assert.is_nil(run(folder).out:find("root:", 1, true))
  end)

  it("says once that there is too much, and looks at what fits", function()
    local files = { ["token_lens.lua"] = policies.lens("return { tokns = {} }") }
    for i = 1, 20 do
      files[("commands/f%02d.lua"):format(i)] = ("-- %s\nreturn {}"):format((" "):rep(260000))
    end
    local found, report = check(policies.folder(files))
    assert.is_truthy(found.sources_too_large)
    local count = 0
    for _, finding in ipairs(report.findings) do
      count = count + (finding.code == "sources_too_large" and 1 or 0)
    end
    assert.equal(1, count)
    assert.is_truthy(found.script_api)
  end)

  it("names the member and its pointer, also in a manifest", function()
    canvas("kinds", 'kinds = { a = { text = true, children = { "b" } } }')
    canvas("slip", 'titel = "x", kinds = {}')
    shell.must({ "mkdir", "-p", canvases .. "/other" })
    shell.write(canvases .. "/other/manifest.lua", 'return { name = "another", version = "1", api = 1, title = "T", harness = "h" }')
    local found = check(policies.folder({
      ["tenants/t/token_lens.lua"] = policies.lens("return {\n  tokens = { read = 'x' } }"),
    }))
    assert.same({ "/tokens/read", 3 }, { found.plan_bad_shape.pointer, tonumber(found.plan_bad_shape.where:match("%d+$")) })
    assert.matches("^/tokens/read: must be a list of globs", found.plan_bad_shape.message)
    assert.matches("^/kinds/a/children/0: b is no kind", found.unknown_kind.message)
    assert.matches("^/titel: is no member", found.unknown_member.message)
    assert.same({ "/kinds/a/children/0", "/titel" }, { found.unknown_kind.pointer, found.unknown_member.pointer })
    assert.matches("calls itself another", found.manifest_bad_name.message)
    assert.matches("canvases/other/manifest%.lua:1$", found.manifest_bad_name.where)
  end)

  it("tells what costs too much, with its line and a hint", function()
    local found = check(policies.folder({
      ["token_lens.lua"] = policies.lens([[local list, rules = {}, {}
        for i = 1, 60 do list[i] = "label" .. i end
        for i = 1, 5 do rules[i] = { vis = list } end
        return lens.extend(lens.everything(), { blocks = { read = rules } })]]),
      ["commands/jumps.lua"] = "local function f() while true do\n" .. ("break\n"):rep(2001) .. "end end\nreturn { f = f }\n",
    }))
    assert.equal("the plan must have at most 256 globs in all its lists together", found.plan_bad_shape.message)
    assert.matches("jumps%.lua:2002$", found.script_syntax.where)
    assert.matches("^the compiler takes the square", found.script_syntax.hint)
  end)

  it("asks for the plans of every role that the lens speaks of", function()
    local folder = policies.folder({
      ["token_lens.lua"] = policies.lens([[if actor.role == "reviewer" then return { tokns = {} } end return lens.everything()]]),
    })
    assert.matches("^/tokns", check(folder).plan_bad_shape.message)
  end)

  it("warns of a lens that fails for roles that it does not know, once", function()
    local body = 'if not ({ owner = 1, editor = 1, viewer = 1, planner = 1, director = 1, service = 1 })[actor.role] then ' ..
      'error("no role " .. actor.role) end return lens.everything()'
    local found, report = check(policies.folder({ ["token_lens.lua"] = policies.lens(body) }))
    assert.same({ 0, 1 }, { report.errors, report.warnings })
    assert.matches("answer nil instead", found.script_failed.hint)
  end)

  it("warns of files that nobody asks for, and of members", function()
    local folder = policies.folder({
      ["tokenlens.lua"] = "return {}", ["tenants/acme/token_lense.lua"] = "return {}", ["command/x.lua"] = "return {}",
      ["helper.lua"] = "return {}", ["commands/pace.lua"] = [[local helper = require("policy.helper")
return { name = "pace", version = 1, api = 1, commands = { "undo" }, rate = { per_s = 1, burst = 1, brust = 2 }, limit = helper }]],
    })
    local result = run(folder)
    assert.equal(0, result.code)
    for _, text in ipairs({
      "/tokenlens.lua:1: warning", "did you mean token_lens.lua?", "/tenants/acme/token_lense.lua:1: warning", "/command/x.lua:1: warning",
      "/commands/pace.lua:2: warning: /rate/brust", "/commands/pace.lua:2: warning: /limit",
    }) do
      assert.is_truthy(result.out:find(text, 1, true), text .. "\n" .. result.out)
    end
    assert.is_nil(result.out:find("helper.lua", 1, true))
  end)

  it("warns of what lies there and is read by nobody", function()
    local folder = policies.folder({
      ["ceiling.lua.bak"] = "", ["commands/pace"] = "", ["tenants/acme.lua"] = "return {}", ["tenants/acme/lens.json"] = "{}",
      ["tenants/a b/x.lua"] = "return {}", ["NOTES.md"] = "",
    })
    local out = run(folder).out
    for _, name in ipairs({ "/ceiling.lua.bak", "/commands/pace", "/tenants/acme.lua", "/tenants/acme/lens.json", "/tenants/a b" }) do
      assert.is_truthy(out:find(folder.path .. name .. ": warning", 1, true), name .. "\n" .. out)
    end
    assert.is_nil(out:find("NOTES", 1, true))
  end)

  it("warns of globals that there are not, and of those that are assigned, with their lines", function()
    local found = check(policies.folder({
      ["commands/v.lua"] = 'local n = #("x")\nreturn { name = "v", version = 1, api = 1, commands = { "undo" }, validate = function(c)\n' ..
        "  cnt = n\n  if math.floor(1) then return isvalid(c) end\n  return pairs ~= nil\nend }",
    }))
    assert.same({ "3", "4" }, { found.assigned_global.where:match("%d+$"), found.unknown_global.where:match("%d+$") })
    assert.matches("cnt", found.assigned_global.message)
    assert.matches("isvalid", found.unknown_global.message)
  end)

  it("warns of words that mean nothing, and of globs that are none", function()
    local found, report = check(policies.folder({
      ["commands/v.lua"] = 'return { name = "v", version = 1, api = 1, commands = { "chat.snd" }, rate = { per_s = 1, burst = 1 } }',
      ["token_lens.lua"] = policies.lens([[return lens.redact(lens.extend(lens.everything(), { tokens = { read = { "*", "!" } },
        events = { "[a-z]*" }, blocks = { read = { { kinds = { "taks" }, canvases = { "planing" }, vis = { "" } } } } }),
        { props = { "assignee", "asignee" } })]]),
    }))
    assert.equal(0, report.errors)
    assert.same({ "/commands/0", "/blocks/read/0/kinds/0", "/blocks/read/0/canvases/0", "/blocks/redact/0/props/1" }, {
      found.unknown_command.pointer, found.unknown_kind.pointer, found.unknown_canvas.pointer, found.unknown_prop.pointer,
    })
    local _, count = run(policies.folder({ ["token_lens.lua"] = policies.lens([[return { tokens = { read = { "*", "!" } },
      events = { "[a-z]*" } }]]) })).out:gsub("bad_glob", "")
    assert.equal(2, count)
  end)

  it("warns of commands without a reducer, and of a Token that two manifests declare", function()
    canvas("go", 'kinds = { a = { text = true } }, commands = { ["go.away"] = {} }, tokens = { ["plan.days"] = { type = "string" } }')
    local found = check(policies.folder({}))
    assert.matches("/commands/go.away", found.missing_reducer.message)
    assert.matches("/tokens/plan.days", found.token_disagreement.message)
  end)

  it("warns of a redaction that leaves nothing out", function()
    canvas("go", "kinds = { shot = { text = true, props = { cost = { type = 'number' } } } }")
    local function redacts(redaction)
      local found, report = check(policies.folder({ ["token_lens.lua"] = policies.lens(
        ("local plan = lens.everything() plan.blocks.redact = { %s } return plan"):format(redaction)) }))
      assert.equal(0, report.errors)
      return found.redacts_nothing and found.redacts_nothing.pointer
    end
    assert.equal("/blocks/redact/0/props/1", redacts('{ kinds = { "task" }, props = { "due", "cost" } }'))
    assert.equal("/blocks/redact/0/props/0", redacts('{ canvases = { "go" }, props = { "d*" } }'))
    assert.equal("/blocks/redact/1", redacts('{ text = true }, { kinds = { "shot" } }'))
    assert.is_nil(redacts('{ kinds = { "sh*" }, props = { "c*", "!cost" } }, { props = { "due", "cost" } }'))
  end)

  it("warns of a condition of a canvas that never holds", function()
    canvas("go", [[kinds = { a = { text = true } }, tokens = { ["go.on"] = { type = "boolean" } },
      lens = { priority = 1, when = {
        { token = "go.on", equals = true }, { token = "go.no", equals = true }, { token = "go.on", equals = "yes" } } }]])
    local found, report = check(policies.folder({}))
    assert.same({ 0, 2 }, { report.errors, report.warnings })
    assert.same({ "/lens/when/1/token", "/lens/when/2/equals" }, { found.unknown_token.pointer, found.never_equal.pointer })
  end)

  it("tries context and sanitize on what every run can have", function()
    local function try(name, member, body)
      local file = ('return {\n  name = "%s", version = 1, api = 1,\n  %s = function(a, b)\n    %s\n  end }'):format(name, member, body)
      local found, report = check(policies.folder({ [name .. ".lua"] = file, ["tenants/acme/" .. name .. ".lua"] = file }))
      assert.equal(0, report.errors)
      local told = found.script_failed or found.script_bad_result
      return told and told.where:match("[^/]+$") .. " " .. told.message
    end
    assert.is_nil(try("context_lens", "context", 'return { { kind = "run", data = b.chat.order } }'))
    assert.matches("^context_lens.lua:4 .*'nosuch'", try("context_lens", "context", "return a.nosuch.x"))
    assert.matches("^context_lens.lua:3 /1/kin: an item has no such member", try("context_lens", "context",
      'return { { kind = "a" }, { kin = "b" } }'))
    assert.matches("^context_lens.lua:3 /0/kind: is needed", try("context_lens", "context", 'return { { text = "b" } }'))
    assert.matches("^context_lens.lua:3 /0/text: must be a text", try("context_lens", "context", 'return { { kind = "a", text = 1 } }'))
    assert.matches("^context_lens.lua:3 context answers a list", try("context_lens", "context", "return nil"))
    assert.is_nil(try("sanitize", "sanitize", "return nil"))
    assert.matches("^sanitize.lua:4 .*'fields'", try("sanitize", "sanitize", "return a.fields.x and a"))
    assert.matches("^sanitize.lua:3 sanitize answers a line or nil", try("sanitize", "sanitize", "return 7"))
  end)

  it("has the hint that belongs to where it fails", function()
    local function hint(body)
      return check(policies.folder({ ["token_lens.lua"] = policies.lens(body) }))
    end
    assert.matches("works too long for one call", hint("while true do end").script_budget.hint)
    assert.matches("pure: no clock", hint("return os.time()").script_failed.hint)
    assert.matches("no randomness", hint("return math.random()").script_failed.hint)
    assert.matches("x and x.y", hint("local x return x.y").script_failed.hint)
  end)

  it("names the line of a lens that hides nothing by a slip, also of a tail call", function()
    local function fault(body)
      local found, _, code = check(policies.folder({ ["token_lens.lua"] = policies.lens(body) }))
      assert.equal(1, code)
      return found.script_failed
    end
    for _, slip in ipairs({
      'local plan = lens.hide_vis(lens.everything(), "draft") return plan',
      'return lens.hide_vis(lens.everything(), "draft")',
      'return lens.hide_tokens(lens.everything(), { "!secret.*" })',
    }) do
      local told = fault(slip)
      assert.matches("token_lens%.lua:%d+$", told.where)
      assert.matches("must be a list of texts", told.message)
      assert.matches("by a slip", told.hint)
    end
    assert.matches("a redaction says", fault('return lens.redact(lens.everything(), { kinds = { "task" } })').message)
  end)

  it("tells a fault of the defaults once, whatever tenants there are", function()
    local _, report = check(policies.folder({
      ["token_lens.lua"] = policies.lens("return { tokns = {} }"), ["tenants/a/sanitize.lua"] = "return {}",
      ["tenants/b/commands/x.lua"] = 'return { api = 1, name = "x", commands = { "undo" }, rate = { per_s = 1, burst = 1 } }',
    }))
    local count = 0
    for _, finding in ipairs(report.findings) do
      count = count + (finding.code == "plan_bad_shape" and 1 or 0)
    end
    assert.equal(1, count)
  end)

  it("does not tell what only follows from a fault that it told", function()
    local plan = policies.lens('return lens.redact(lens.everything(), { kinds = { "shot" }, props = { "cost" } })')
    local kinds = 'kinds = { shot = { text = true, props = { cost = { type = "number" } } } }'
    local commands = 'commands = { ["film.cut"] = { title = "Cut", args = {} } }'
    local function codes(manifest, script)
      canvas("film", manifest .. ", " .. commands, script)
      shell.write(canvases .. "/film/helper.lua", "return {}")
      local list = {}
      for _, finding in ipairs(select(2, check(policies.folder({ ["token_lens.lua"] = plan }))).findings) do
        list[#list + 1] = finding.code
      end
      return list
    end
    local script = 'require("canvas.film.helper") return { api = 1, commands = { ["film.cut"] = { reduce = function() return {} end } } }'
    assert.same({}, codes(kinds, script))
    assert.same({ "unknown_member" }, codes(kinds .. ", titel = 1", script))
    assert.same({ "script_encoding" }, codes(kinds, "\239\187\191" .. script))
    assert.same({ "script_failed" }, codes(kinds, ""))
  end)

  it("names the line of a command that is none, and of a member in another shape", function()
    canvas("film", 'kinds = { shot = { text = true } }, commands = { ["film.cut"] = { title = "Cut", args = {} } }',
      'return {\n  api = 1,\n  commands = {\n    ["film.cutt"] = { reduce = function() end },\n  },\n}')
    local found = check(policies.folder({
      ["sanitize.lua"] = 'return {\n  name = "sanitize",\n  version = 1,\n  api = 2,\n  sanitize = function() end,\n}',
    }))
    assert.matches("sanitize.lua:4$", found.script_api.where)
    assert.matches("film/commands.lua:4$", found.script_bad_shape.where)
    canvas("film", "kinds = { shot = { text = true } }", "return { api = 1, commands = {} }")
    found = check(policies.folder({
      ["commands/pace.lua"] = 'return {\n  name = "pace", version = 1, api = 1,\n  commands = { "undo" },\n  rate = { per_sec = 1 },\n}',
    }))
    assert.matches("commands/pace.lua:4$", found.script_bad_shape.where)
  end)

  it("takes its folder before or behind the options, and one only", function()
    local folder = policies.folder({})
    local behind = shell.run({ gateways.bin, "check", "--json", folder.path })
    assert.same({ 0, 0 }, { behind.code, json.must(behind.out).errors })
    assert.equal(2, shell.run({ gateways.bin, "check", folder.path, "canvases" }).code)
    assert.equal(2, shell.run({ gateways.bin, "check", "--policies", folder.path, folder.path }).code)
    assert.equal(2, shell.run({ gateways.bin, "check", "-json" }).code)
  end)

  it("fails where its findings cannot be written", function()
    local result = shell.run({ "sh", "-c", 'exec "$0" check >/dev/full', gateways.bin })
    assert.equal(1, result.code)
    assert.matches("could not be written", result.err)
  end)

  it("counts each file once, and by number", function()
    local before = select(2, check(policies.folder({}))).files
    local folder = policies.folder({
      ["commands/one.lua"] = 'return { api = 1, name = "x", commands = { "undo" }, rate = { per_s = 1, burst = 1 } }',
      ["tenants/acme/sanitize.lua"] = "return {}",
    })
    assert.equal(before + 2, select(2, check(folder)).files)
    assert.matches("1 tenant: 1 error, 0 warnings", run(folder).out)
  end)

  it("calls files as they were given, and a folder that is not there, too", function()
    local folder = policies.folder({ ["commands/x.lua"] = "return {" })
    assert.is_truthy(run({ path = folder.path .. "/" }).out:find(folder.path .. "/commands/x.lua:1: error", 1, true))
    local nowhere = run({ path = "/nowhere/policies" }).out
    assert.matches("^/nowhere/policies: error: cannot read the folder", nowhere)
    assert.matches("1 error, 0 warnings", nowhere)
  end)

  it("prints nothing raw of what files hold", function()
    local folder = policies.folder({
      ["tenants/t/ceiling.lua"] = 'return { limits = { ["\\27[31mevil\\r\\n"] = 1 } }', ["commands/a\27b.lua"] = "return {}",
    })
    local out = run(folder).out
    assert.is_nil(out:find("[\27\r]"))
    assert.is_truthy(out:find("\\x1b[31mevil\\x0d\\x0a", 1, true), out)
  end)
end)
