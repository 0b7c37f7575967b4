-- Policies of tenants from the registry: `atoms policies put` writes them, a gateway switches, the operator's folder goes before.

local support = require("support")
local json, shell = support.json, support.shell
local gateways = require("support.gateway")
local policies = require("support.policies")

--- A folder of one tenant's policies, whose token lens is `body`.
local function given(body)
  local path = shell.folder()
  shell.write(path .. "/token_lens.lua", policies.lens(body))
  return path
end

local NOTHING = "return nil"
local TITLE_ALONE = 'return { history = true, tokens = { read = { "plan.title" } }, events = { "*" } }'

describe("policies in the registry", function()
  local gateway, folder, admin

  local function start(options)
    folder = policies.folder({})
    options = options or {}
    options.env = options.env or {}
    options.env.ATOMS_POLICIES_DIR = folder.path
    gateway = support.start(options)
    admin = ("http://127.0.0.1:%d"):format(gateway.admin_port)
  end

  local function atoms(...)
    local words = { "env", "ATOMS_DATA_DIR=" .. gateway.data_dir, "ATOMS_POLICIES_DIR=" .. folder.path, "ATOMS_CANVASES_DIR=canvases" }
    for _, word in ipairs({ gateways.bin, ... }) do
      words[#words + 1] = word
    end
    return shell.run(words)
  end

  local function put(path, ...)
    local result = atoms("policies", "put", "--tenant", "acme", path, "--json", ...)
    return result.code, json.must(result.out)
  end

  local function status(bearer)
    return gateway:get("/v1/state", bearer, gateway:ids()).status
  end

  local function tenant()
    return gateway:admin("/admin/policies").json.tenants[1]
  end

  after_each(support.stop_all)

  it("are in force when put has answered, and listed with their version", function()
    start()
    local ann = gateway:bearer({})
    assert.equal(200, status(ann))
    local code, answer = put(given(NOTHING), "--admin", admin)
    assert.same({ 0, 1, "switched" }, { code, answer.version, answer.gateway })
    assert.equal(403, status(ann))
    assert.same({ "registry", 1 }, { tenant().source, tenant().version })
    assert.matches("acme +active +%d+ .* registry 1\n", atoms("policies", "--admin", admin).out)
    assert.equal(2, select(2, put(given(TITLE_ALONE), "--admin", admin)).version)
    assert.equal(200, status(ann))
    assert.equal("switched", json.must(atoms("rollback", "--tenant", "acme", "--admin", admin, "--json").out).changes[1].status)
    assert.equal(403, status(ann))
    assert.equal(1, tenant().version)
  end)

  it("go back to the defaults when the first of them are rolled back", function()
    start()
    local ann = gateway:bearer({})
    put(given(NOTHING), "--admin", admin)
    assert.equal(403, status(ann))
    assert.equal("switched", json.must(atoms("rollback", "--tenant", "acme", "--admin", admin, "--json").out).changes[1].status)
    assert.equal(200, status(ann))
    assert.same({ true, "defaults" }, { tenant().is_rolled_back, tenant().source })
    assert.matches("rolled back to the defaults: what is stored of it counts", atoms("policies", "--admin", admin).out)
    assert.equal("switched", json.must(atoms("reload", "--tenant", "acme", "--admin", admin, "--json").out).changes[1].status)
    assert.equal(403, status(ann))
  end)

  it("of a tenant's first folder are rolled back like those", function()
    start()
    local ann = gateway:bearer({})
    assert.equal(200, status(ann))
    folder:write("tenants/acme/token_lens.lua", policies.lens("return nil"))
    assert.equal(0, atoms("reload", "--admin", admin).code)
    assert.equal(403, status(ann))
    assert.equal(0, atoms("rollback", "--tenant", "acme", "--admin", admin).code)
    assert.equal(200, status(ann))
    assert.equal(0, atoms("reload", "--admin", admin).code)
    assert.equal(403, status(ann))
  end)

  it("are refused with file and line, and nothing is written", function()
    start()
    local path = given("return { tokens = { reed = { '*' } } }")
    local code, answer = put(path, "--admin", admin)
    assert.equal(1, code)
    assert.is_nil(answer.version)
    assert.equal("overlay_faulty", answer.code)
    assert.equal(path .. "/token_lens.lua:2", answer.findings[1].where)
    assert.equal(1, shell.run({ "test", "-e", gateway.data_dir .. "/overlays" }).code)
  end)

  it("are taken back when the gateway refuses them over the defaults that it has", function()
    start()
    local ann = gateway:bearer({})
    put(given(TITLE_ALONE), "--admin", admin)
    folder:write("helper.lua", "return { plan = nil }")
    local path = given(NOTHING)
    shell.write(path .. "/token_lens.lua", 'local helper = require("policy.helper")\n' .. policies.lens("return helper.plan"))
    local code, answer = put(path, "--admin", admin)
    assert.same({ 1, "failed", "not_switched" }, { code, answer.gateway, answer.code })
    assert.is_nil(answer.version)
    assert.matches("^" .. path:gsub("%p", "%%%0") .. "/token_lens%.lua:%d+$", answer.where)
    assert.matches("refuses it over the defaults that it has: nothing was written",
      atoms("policies", "put", "--tenant", "acme", path, "--admin", admin).out)
    assert.same({ 200, 1 }, { status(ann), tenant().version })
    gateway:restart()
    admin = ("http://127.0.0.1:%d"):format(gateway.admin_port)
    assert.same({ 200, 1 }, { status(ann), tenant().version })
    assert.equal(2, select(2, put(path, "--admin", admin)).version)
    assert.equal(403, status(ann))
  end)

  it("stay in so many versions as are to be kept", function()
    start({ config = "return { scripts = { keep_versions = 3 } }" })
    local ann = gateway:bearer({})
    local paths = { given(NOTHING), given(TITLE_ALONE) }
    for i = 1, 6 do
      put(paths[i % 2 + 1], "--admin", admin)
    end
    local function versions()
      return shell.must({ "ls", gateway.data_dir .. "/overlays/acme" })
    end
    assert.equal("4\n5\n6\n", versions())
    assert.equal(403, status(ann))
    assert.equal("switched", json.must(atoms("rollback", "--tenant", "acme", "--admin", admin, "--json").out).changes[1].status)
    assert.same({ 200, 5 }, { status(ann), tenant().version })
    for i = 1, 4 do
      put(paths[i % 2 + 1], "--admin", "http://127.0.0.1:1")
    end
    assert.equal("10\n4\n5\n6\n7\n8\n9\n", versions())
    assert.equal(0, atoms("reload", "--tenant", "acme", "--admin", admin).code)
    assert.equal("10\n8\n9\n", versions())
  end)

  it("do not go before the operator's own folder", function()
    start()
    local ann = gateway:bearer({})
    put(given(NOTHING), "--admin", admin)
    folder:write("tenants/acme/token_lens.lua", policies.lens("return lens.everything()"))
    assert.equal(0, atoms("reload", "--admin", admin).code)
    assert.equal(200, status(ann))
    assert.equal("folder", tenant().source)
    local code, answer = put(given(NOTHING), "--admin", admin)
    assert.same({ 1, "overlay_shadowed" }, { code, answer.code })
  end)

  it("count from the next reload or start on when no gateway was told", function()
    start()
    local ann = gateway:bearer({})
    assert.equal(200, status(ann))
    local code, answer = put(given(NOTHING), "--admin", "http://127.0.0.1:1")
    assert.same({ 1, 1, "unreachable" }, { code, answer.version, answer.gateway })
    assert.equal(200, status(ann))
    assert.equal(0, atoms("reload", "--admin", admin).code)
    assert.equal(403, status(ann))
    gateway:restart()
    assert.equal(403, status(ann))
  end)

  it("switch by themselves where saved files are watched", function()
    start({ env = { ATOMS_WATCH_SCRIPTS = "on" } })
    local ann = gateway:bearer({})
    assert.equal(200, status(ann))
    put(given(NOTHING), "--admin", "http://127.0.0.1:1")
    support.clock.until_true("the switch", function()
      return status(ann) == 403
    end)
  end)

  it("are looked through by atoms check, and decide for the other tools", function()
    start()
    put(given(NOTHING), "--admin", admin)
    assert.equal(1, json.must(atoms("check", "--json").out).tenants)
    assert.equal(1, atoms("explain", "--tenant", "acme", "--role", "owner", "--vision").code)
    folder:write("ceiling.lua", nil)
    shell.write(gateway.data_dir .. "/overlays/acme/1/ceiling.lua", "return {\n  limits = { patience = 1 } }")
    local report = json.must(atoms("check", "--json").out)
    assert.same({ 1, "overlays/acme/1/ceiling.lua:2" }, { report.errors, report.findings[1].where })
  end)

  it("need a tenant and one folder", function()
    start()
    assert.equal(2, atoms("policies", "put", given(NOTHING)).code)
    assert.equal(2, atoms("policies", "put", "--tenant", "acme").code)
    assert.equal(0, atoms("policies", "put", "--help").code)
  end)
end)
