-- The subcommands for those who write policies, as they run them.

local support = require("support")
local json, shell = support.json, support.shell
local gateways = require("support.gateway")
local policies = require("support.policies")

local function atoms(...)
  return shell.run({ gateways.bin, ... })
end

describe("atoms check", function()
  it("finds nothing wrong with what ships", function()
    local result = atoms("check")
    assert.equal(0, result.code, result.out .. result.err)
    assert.matches("0 errors, 0 warnings", result.out)
  end)

  it("tells each fault with file and line, and a hint", function()
    local folder = policies.folder({
      ["token_lens.lua"] = "return { name = 'token_lens', version = 1, api = 1 }",
      ["commands/chat.lua"] = "return {\n  name = \n}",
      ["tenants/acme/token_lens.lua"] = policies.lens("return { tokens = { reed = { '*' } } }"),
    })
    local result = atoms("check", folder.path, "--json")
    assert.equal(1, result.code)
    local report = json.must(result.out)
    local found = {}
    for _, finding in ipairs(report.findings) do
      found[finding.where] = finding.code
      assert.is_truthy(finding.hint)
    end
    assert.equal("script_missing", found[folder.path .. "/token_lens.lua:1"])
    assert.equal("script_syntax", found[folder.path .. "/commands/chat.lua:3"])
    assert.equal("plan_bad_shape", found[folder.path .. "/tenants/acme/token_lens.lua:2"])
    assert.equal(3, report.errors)
  end)

  it("warns of a plan for each single actor, and of words that mean nothing", function()
    local folder = policies.folder({
      ["token_lens.lua"] = policies.lens('return { tokens = { read = { actor.id } }, events = { "log_lines" } }'),
    })
    local report = json.must(atoms("check", folder.path, "--json").out)
    assert.same({ 0, 2 }, { report.errors, report.warnings })
    assert.same({ "plan_per_actor", "unknown_event" }, { report.findings[1].code, report.findings[2].code })
  end)
end)

describe("atoms explain", function()
  local function explain(...)
    local result = atoms("explain", "--json", ...)
    return result.code, json.must(result.out)
  end

  it("says that an actor may, and by which rule", function()
    local code, answer = explain("--role", "editor", "--token", "plan.title", "--write")
    assert.equal(0, code)
    assert.same({ true, "plan", "/tokens/write/0", "*" }, { answer.is_admitted, answer.layer, answer.pointer, answer.decides })
  end)

  it("says that an actor may not, and which line decides", function()
    local folder = policies.folder({
      ["token_lens.lua"] = [[
return {
  name = "token_lens", version = 1, api = 1,
  lens = function()
    return { tokens = { read = {
      "*",
      "!secret.*",
    } } }
  end,
}
]],
    })
    local code, answer = explain("--policies", folder.path, "--token", "secret.key")
    assert.equal(1, code)
    assert.equal("!secret.*", answer.decides)
    assert.equal(folder.path .. "/token_lens.lua:6", answer.where)
  end)

  it("names the ceiling where that decides", function()
    local folder = policies.folder({})
    local ceiling = shell.read(folder.path .. "/ceiling.lua")
    folder:write("ceiling.lua", (ceiling:gsub('commands = { "%*" }', 'commands = { "*", "!undo" }')))
    local code, answer = explain("--policies", folder.path, "--role", "owner", "--command", "undo")
    assert.same({ 1, "ceiling", "!undo" }, { code, answer.layer, answer.decides })
    assert.matches("/ceiling%.lua:%d+$", answer.where)
  end)

  it("says when the policies admit the actor to nothing", function()
    local code, answer = explain("--role", "stranger", "--vision")
    assert.same({ 1, false, "lens" }, { code, answer.is_admitted, answer.layer })
  end)

  it("asks back when there is no question", function()
    assert.equal(2, atoms("explain", "--role", "owner").code)
  end)
end)

describe("atoms policies, reload and rollback", function()
  teardown(support.stop_all)

  it("operate a running gateway", function()
    local folder = policies.folder({})
    local gateway = support.start({ env = { ATOMS_POLICIES_DIR = folder.path } })
    local admin = ("http://127.0.0.1:%d"):format(gateway.admin_port)
    assert.matches("%(defaults%) +active", atoms("policies", "--admin", admin).out)
    assert.matches("unchanged", atoms("reload", "--admin", admin).out)
    folder:write("token_lens.lua", policies.lens("return lens.everything()"))
    assert.matches("switched", atoms("reload", "--admin", admin).out)
    folder:write("token_lens.lua", "return {")
    local failed = atoms("reload", "--admin", admin)
    assert.equal(1, failed.code)
    assert.matches("token_lens%.lua:%d+", failed.out)
    assert.matches("switched", atoms("rollback", "--admin", admin).out)
  end)

  it("say which tenant has nothing of its own", function()
    local gateway = support.start({})
    local result = atoms("reload", "--tenant", "nosuch", "--admin", ("http://127.0.0.1:%d"):format(gateway.admin_port))
    assert.is_nil(result.out:find("  : ", 1, true))
    assert.matches("neither policies_dir", result.out)
  end)

  it("say so when there is no gateway", function()
    local result = atoms("reload", "--admin", "http://127.0.0.1:1")
    assert.equal(1, result.code)
    assert.matches("admin listener", result.err)
  end)
end)

describe("atoms test", function()
  it("runs the specs that ship, as busted does", function()
    local inside = json.must(atoms("test", "--json").out)
    assert.equal(0, inside.failed)
    local outside = shell.run({ "lua5.4", "/usr/bin/busted", "-o", "TAP", "policies/spec", "canvases" })
    local count = 0
    for _ in ("\n" .. outside.out):gmatch("\nok %d+") do
      count = count + 1
    end
    assert.equal(count, inside.passed)
  end)

  it("tells what failed, with file and line, and by its exit code", function()
    local folder = policies.folder({
      ["spec/bad_spec.lua"] = 'describe("a thing", function()\n  it("fails", function()\n    assert.equal(1, 2)\n  end)\n' ..
        '  it("passes", function()\n    assert.same({ 1, { a = 2 } }, { 1, { a = 2 } })\n  end)\nend)\n',
    })
    local result = atoms("test", folder.path)
    assert.equal(1, result.code)
    assert.matches("a thing fails", result.out)
    assert.matches("/spec/bad_spec%.lua:3: expected 1, got 2", result.out)
    assert.is_nil(result.out:find("a thing passes", 1, true))
  end)

  it("says where two tables differ, and what of busted there is not", function()
    local folder = policies.folder({
      ["spec/a_spec.lua"] = 'describe("a thing", function()\n' ..
        '  it("differs", function() assert.same({ a = { b = 1 } }, { a = { b = 2 } }) end)\n' ..
        '  it("lacks", function() assert.same({ a = 1 }, { a = 1, c = {} }) end)\n  it("is", function() assert.same(1, "1") end)\n' ..
        '  it("asks", function() assert.are.equal(1, 1) end)\nend)\n',
      ["spec/b_spec.lua"] = 'describe("b", function()\n  pending("later", function() end)\nend)\n',
      ["spec/c_spec.lua"] = 'describe("c", function()\n  it("does nothing")\nend)\n',
    })
    local out = atoms("test", folder.path).out
    assert.matches("a_spec%.lua:2: expected 1 at /a/b, got 2", out)
    assert.matches("a_spec%.lua:3: expected nil at /c, got {}", out)
    assert.matches('a_spec%.lua:4: expected 1, got "1"', out)
    assert.matches("a_spec%.lua:5: there is no assert%.are here; of busted's there are equal, has_error,", out)
    assert.matches("b_spec%.lua\n.*global 'pending'.*hint: of busted there are describe, it", out)
    assert.matches('c_spec%.lua:2: it%("does nothing", …%) needs a function', out)
  end)

  it("lets a spec do what a script may, and no more", function()
    local folder = policies.folder({
      ["spec/own_spec.lua"] = 'describe("a spec", function()\n  local n\n  before_each(function() n = 1 end)\n' ..
        '  it("has locals", function() n = n + 1 assert.equal(2, n) end)\n  it("begins anew", function() assert.equal(1, n) end)\n' ..
        '  it("has no clock", function() return os.time() end)\nend)\n',
    })
    local report = json.must(atoms("test", folder.path, "--json").out)
    local failed = {}
    for _, test in ipairs(report.tests) do
      failed[#failed + 1] = not test.is_good and test.name or nil
    end
    assert.same({ "a spec has no clock" }, failed)
  end)

  it("runs a tenant's specs over its own policies", function()
    local folder = policies.folder({
      ["tenants/acme/token_lens.lua"] = policies.lens("return actor.role == 'owner' and lens.everything() or nil"),
      ["tenants/acme/spec/lens_spec.lua"] = 'local policy = require("policy.token_lens")\ndescribe("acme", function()\n' ..
        '  it("admits owners alone", function()\n    assert.is_nil(policy.lens({ role = "editor" }))\n' ..
        '    assert.is_truthy(policy.lens({ role = "owner" }))\n  end)\nend)\n',
    })
    local report = json.must(atoms("test", folder.path, "--json").out)
    assert.equal(0, report.failed)
    assert.equal(folder.path .. "/tenants/acme/spec/lens_spec.lua", report.tests[#report.tests].file)
  end)
end)

describe("atoms diff", function()
  local gateway

  setup(function()
    gateway = support.start({})
    local ann, make = gateway:bearer({}), support.command.maker()
    gateway:send_all(ann, {
      make:mount(), make:insert("b1", { text = "seen" }), make:insert("b2", { text = "not seen", vis = "internal" }),
      make:tokens({ ["plan.title"] = "XYZZY" }),
    })
  end)

  teardown(support.stop_all)

  local function diff(folder, ...)
    local env = "ATOMS_DATA_DIR=" .. gateway.data_dir
    local result = shell.run({ "env", env, gateways.bin, "diff", folder.path, "--json", ... })
    return result.code, json.must(result.out)
  end

  local function class_of(report, role)
    for _, one in ipairs(report.diffs) do
      if one.role == role then
        return one
      end
    end
  end

  local OPENED = policies.lens('return actor.role == "viewer" and lens.read_only(lens.everything()) or lens.everything()')

  it("finds nothing between equal policies", function()
    local code, report = diff(policies.folder({}), "--exit-code")
    assert.same({ 0, 6, 0 }, { code, report.classes, report.changed })
  end)

  it("says per class what is gained, by recorded events and with an example", function()
    local code, report = diff(policies.folder({ ["token_lens.lua"] = OPENED }))
    assert.equal(0, code)
    local viewer = class_of(report, "viewer")
    assert.same({ true, 1, 0 }, { viewer.is_changed, viewer.gained, viewer.lost })
    local found
    for _, gain in ipairs(viewer.gains) do
      found = gain.what:find("vis=internal", 1, true) and gain or found
    end
    assert.is_truthy(found)
    assert.same({ 1, 3 }, { found.count, found.seq })
    assert.is_false(class_of(report, "owner").is_changed)
  end)

  it("says what is lost, also everything", function()
    local folder = policies.folder({ ["token_lens.lua"] = policies.lens('return actor.role ~= "viewer" and lens.everything() or nil') })
    local viewer = class_of(select(2, diff(folder)), "viewer")
    assert.is_true(viewer.lost > 0 and viewer.gained == 0)
  end)

  it("is a gate: a gain that is forbidden fails it", function()
    local folder = policies.folder({ ["token_lens.lua"] = OPENED })
    assert.equal(1, (diff(folder, "--forbid-gain", "internal")))
    assert.equal(0, (diff(folder, "--forbid-gain", "secret.*")))
  end)

  it("says which file is faulty", function()
    local folder = policies.folder({ ["token_lens.lua"] = "return {" })
    local result = atoms("diff", folder.path)
    assert.equal(2, result.code)
    assert.matches("token_lens%.lua:%d", result.err)
  end)
end)

describe("atoms repl", function()
  it("answers expressions over the plan of who asks", function()
    local actor = shell.write(shell.folder() .. "/actor.json", '{"id":"vi","kind":"user","role":"viewer","claims":{}}')
    local result = shell.run({ gateways.bin, "repl", "--as", actor }, 'actor.role\nlens.reads_token(plan, "internal.cost")\nplan.vision\n')
    assert.same({ 0, '"viewer"\nfalse\ntrue\n' }, { result.code, result.out })
  end)

  it("says what is wrong with one, and goes on", function()
    local result = shell.run({ gateways.bin, "repl" }, "1 +\nos.time()\n1 + 1\n")
    assert.equal(1, result.code)
    assert.matches("script_syntax", result.out)
    assert.matches("script_failed", result.out)
    assert.matches("\n2\n$", result.out)
  end)

  it("tells nothing of what it puts around an expression, and that statements are none", function()
    local out = shell.run({ gateways.bin, "repl" }, "local x = 1\n1 +\n(plan\nplan.vision)\n").out
    assert.is_nil(out:find("near 'end'", 1, true))
    assert.is_nil(out:find("ask", 1, true))
    assert.matches("repl:1: .* near 'local'", out)
    assert.matches("hint: an expression", out)
  end)

  it("shows the policy, and functions by their type", function()
    local out = shell.run({ gateways.bin, "repl" }, "policy\npolicy.lens\n{}\n").out
    assert.equal('{"api":1,"lens":"function","name":"token_lens","version":1}\n"function"\n{}\n', out)
  end)

  it("passes over blank lines and comments of a file, and goes on to its end", function()
    local result = shell.run({ gateways.bin, "repl" }, "\n1\n\n-- two\n  \n2")
    assert.same({ 0, "1\n2\n" }, { result.code, result.out })
  end)

  it("refuses a line that is too long as one, and goes on", function()
    local result = shell.run({ gateways.bin, "repl" }, ("1+"):rep(20000) .. "1\n7\n")
    assert.equal(1, result.code)
    assert.matches("^a line has at most %d+ bytes %(line_too_long%)\n7\n$", result.out)
  end)

  it("takes nobody for another by a slip in who asks", function()
    local function ask(actor)
      local file = shell.write(shell.folder() .. "/actor.json", actor)
      return shell.run({ gateways.bin, "repl", "--as", file }, "actor\n")
    end
    assert.equal('{"claims":{},"id":"ann","kind":"user","role":"viewer"}\n', ask('{"role":"viewer"}').out)
    for actor, code in pairs({
      ['{"role":"viewer","knd":"agent"}'] = "unknown_member", ['{"role":"viewer","kind":"robot"}'] = "bad_kind",
      ['{"id":"ann"}'] = "bad_shape", ['{"role":7}'] = "bad_shape", ["[]"] = "bad_shape", ["{"] = "json_malformed",
    }) do
      local result = ask(actor)
      assert.equal(1, result.code)
      assert.matches(code, result.err)
      assert.matches("actor%.json", result.err)
    end
    assert.equal(2, shell.run({ gateways.bin, "repl", "--tenant", "../acme" }, "1\n").code)
  end)

  it("prints nothing raw of an error", function()
    local out = shell.run({ gateways.bin, "repl" }, 'error("\\27[31m")\n').out
    assert.is_nil(out:find("\27", 1, true))
  end)
end)
