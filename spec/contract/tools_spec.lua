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
    assert.equal("script_missing", found["policies/token_lens.lua:1"])
    assert.equal("script_syntax", found["policies/commands/chat.lua:3"])
    assert.equal("plan_bad_shape", found["policies/tenants/acme/token_lens.lua:2"])
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
    return result.code, result.out ~= "" and json.must(result.out) or nil, result.err
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
    assert.equal("policies/token_lens.lua:6", answer.where)
  end)

  it("names the ceiling where that decides", function()
    local folder = policies.folder({})
    local ceiling = shell.read(folder.path .. "/ceiling.lua")
    folder:write("ceiling.lua", (ceiling:gsub('commands = { "%*" }', 'commands = { "*", "!undo" }')))
    local code, answer = explain("--policies", folder.path, "--role", "owner", "--command", "undo")
    assert.same({ 1, "ceiling", "!undo" }, { code, answer.layer, answer.decides })
    assert.matches("^policies/ceiling%.lua:%d+$", answer.where)
  end)

  it("says when the policies admit the actor to nothing", function()
    local code, answer, err = explain("--role", "stranger", "--vision")
    assert.equal(1, code)
    assert.is_nil(answer)
    assert.matches("not_allowed", err)
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

  it("say so when there is no gateway", function()
    local result = atoms("reload", "--admin", "http://127.0.0.1:1")
    assert.equal(1, result.code)
    assert.matches("admin listener", result.err)
  end)
end)
