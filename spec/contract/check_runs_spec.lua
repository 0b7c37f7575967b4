-- `atoms check --runs`: what recorded runs hold that the canvases would not take now. Read from outside, while the gateway serves.

local support = require("support")
local json, shell = support.json, support.shell
local gateways = require("support.gateway")

describe("atoms check --runs", function()
  local gateway, canvases

  setup(function()
    gateway = support.start({})
    canvases = shell.folder() .. "/canvases"
    local ann, bob, make = gateway:bearer({}), gateway:bearer({ actor = "bob" }), support.command.maker({ run_id = "r1" })
    gateway:send_all(ann, {
      make:mount(), make:insert("h1", { kind = "heading", text = "Plan", props = { level = 3 } }),
      make:insert("t1", { kind = "task", parent = "h1", text = "Walk", props = { done = true, due = ("x"):rep(32) } }),
      make:tokens({ ["plan.days"] = 300, ["plan.title"] = ("long "):rep(40) }),
    })
    gateway:send_all(bob, { make:insert("b1", { text = "of bob" }) })
    local other = support.command.maker({ run_id = "r2" })
    gateway:send_all(ann, { other:mount() })
  end)

  teardown(support.stop_all)

  --- A copy of the canvases whose manifest of planning went through `change`.
  local function changed(change)
    shell.must({ "rm", "-rf", canvases })
    shell.must({ "cp", "-r", "canvases", canvases })
    local path = canvases .. "/planning/manifest.lua"
    shell.write(path, change(shell.read(path)))
  end

  local function check(...)
    local env = { "env", "ATOMS_DATA_DIR=" .. gateway.data_dir, "ATOMS_CANVASES_DIR=" .. canvases, gateways.bin, "check", "--runs" }
    for _, word in ipairs({ ... }) do
      env[#env + 1] = word
    end
    return shell.run(env)
  end

  local function found(report)
    local list = {}
    for _, one in ipairs(report.findings) do
      list[#list + 1] = ("%s %s %s%s"):format(one.run, one.block_id or one.token or one.canvas_id, one.code, one.path or "")
      assert.equal("warning", one.severity)
    end
    return list
  end

  it("finds nothing as long as the canvases are what they were", function()
    changed(function(text)
      return text
    end)
    local report = json.must(check("--json").out)
    assert.same({ 2, 0, 0 }, { report.runs, report.errors, report.warnings })
  end)

  it("tells values, properties and Tokens that do not fit, with run, place, rule and a short value", function()
    changed(function(text)
      return (text:gsub("max = 3,", "max = 2,"):gsub("max = 365, default", "max = 100, default"):gsub("max_length = 200", "max_length = 20")
        :gsub("due = %b{},", ""))
    end)
    local result = check("--json")
    local report = json.must(result.out)
    assert.equal(0, result.code)
    assert.same({
      "acme/dev/p1/r1 h1 out_of_range/props/level", "acme/dev/p1/r1 t1 unknown_prop/props/due", "acme/dev/p1/r1 plan.days out_of_range",
      "acme/dev/p1/r1 plan.title too_long",
    }, found(report))
    assert.same({ "c1", "planning", "heading", "3" },
      { report.findings[1].canvas_id, report.findings[1].canvas_type, report.findings[1].kind, report.findings[1].value })
    assert.is_true(#report.findings[4].value < 110)
    assert.matches("acme/dev/p1/r1: warning: canvas c1 %(planning%), block h1 %(heading%) /props/level: .*out_of_range.*: 3\n", check().out)
  end)

  it("tells blocks of a kind that is gone", function()
    changed(function(text)
      return (text:gsub("heading = {", "title = {"))
    end)
    assert.same({ "acme/dev/p1/r1 h1 unknown_kind/kind" }, found(json.must(check("--json").out)))
  end)

  it("tells canvases of a type that no folder has", function()
    changed(function(text)
      return text
    end)
    shell.must({ "rm", "-r", canvases .. "/planning" })
    local list = found(json.must(check("--json").out))
    assert.equal("acme/dev/p1/r1 c1 unknown_canvas", list[1])
    assert.matches("unknown_token", list[2])
  end)

  it("begins with a checkpoint where the log does: after an erasure", function()
    changed(function(text)
      return (text:gsub("heading = {", "title = {"))
    end)
    local answer = gateway:admin("/admin/actors/erase", { ["X-Atoms-Admin"] = "1", ["Content-Type"] = "application/json" }, "POST",
      json.encode({ tenant_id = "acme", mode = "dev", project_id = "p1", run_id = "r1", actor_id = "bob" }))
    assert.equal(200, answer.status)
    local report = json.must(check("--json").out)
    assert.same({ "acme/dev/p1/r1 h1 unknown_kind/kind" }, found(report))
    assert.equal(0, report.errors)
  end)

  it("says so when nothing was recorded", function()
    local result = shell.run({ "env", "ATOMS_DATA_DIR=" .. shell.folder(), gateways.bin, "check", "--runs" })
    assert.equal(1, result.code)
    assert.matches("spine_missing", result.err)
  end)
end)
