-- Policies that change while streams live: who loses something sees nothing of it any more, who does not notices nothing.

local support = require("support")
local command = support.command
local policies = require("support.policies")
local reloads = require("support.reloads")

local EVERYTHING = policies.lens("return lens.everything()")
local NO_TITLE = policies.lens([[
  local everything = lens.everything()
  return actor.role == "viewer" and lens.hide_tokens(everything, { "plan.title" }) or everything
]])
local NO_VIEWER = policies.lens('return actor.role ~= "viewer" and lens.everything() or nil')
local BROKEN = "return {\n  name = 'token_lens',\n  version = 1 1,\n}\n"

describe("a change of policy", function()
  local gateway, folder, ann, make

  before_each(function()
    folder = policies.folder({ ["token_lens.lua"] = EVERYTHING })
    gateway = support.start({ env = { ATOMS_POLICIES_DIR = folder.path } })
    ann, make = gateway:bearer({ role = "editor" }), command.maker()
    gateway:send_all(ann, { make:mount(), make:tokens({ ["plan.title"] = "XYZZY" }) })
  end)

  after_each(support.stop_all)

  local function open(role)
    local stream = gateway:stream({ bearer = gateway:bearer({ actor = role, role = role }), run_id = make.run_id })
    stream:expect("resume")
    stream:find("the checkpoint's end", function(frame)
      return frame.id ~= nil
    end)
    return stream
  end

  local function change(path, body)
    local answer = gateway:admin("/admin/policies/" .. path, nil, "POST", body)
    assert.equal(200, answer.status, answer.body)
    return answer.json.changes
  end

  local function save_and_reload(text)
    folder:write("token_lens.lua", text)
    return change("reload")[1]
  end

  it("reaches a live stream: lens_changed, a second verdict, a checkpoint", function()
    local stream = open("viewer")
    assert.equal("switched", save_and_reload(NO_TITLE).status)
    assert.equal("policy", stream:expect("lens_changed").json.data.reason)
    local verdict = stream:expect("resume").json.data
    assert.same({ "reset", "class_changed" }, { verdict.status, verdict.reason })
    local ready = stream:expect("CANVAS_READY")
    assert.is_nil(ready.raw:find("plan.title", 1, true))
    assert.is_nil(ready.raw:find("XYZZY", 1, true))
    gateway:send(ann, make:tokens({ ["plan.title"] = "XYZZY2" }))
    gateway:send(ann, make:tokens({ ["plan.days"] = 3 }))
    assert.same({ ["plan.days"] = 3 }, stream:expect("token_patch").json.data.set)
  end)

  it("is not noticed where the lens stays the same", function()
    local stream = open("editor")
    assert.equal("switched", save_and_reload(NO_TITLE).status)
    gateway:send(ann, make:tokens({ ["plan.days"] = 3 }))
    local frame = stream:expect("token_patch")
    assert.same({ ["plan.days"] = 3 }, frame.json.data.set)
  end)

  it("ends the stream of whom it admits no more", function()
    local stream = open("viewer")
    save_and_reload(NO_VIEWER)
    local data = stream:expect("goaway").json.data
    assert.same({ "not_allowed", "final" }, { data.reason, data.retry })
    local viewer = gateway:bearer({ actor = "viewer", role = "viewer" })
    assert.equal(403, gateway:get("/v1/state", viewer, gateway:ids({ run_id = make.run_id })).status)
  end)

  --- More than sockets hold.
  local function fill_run()
    local text = ("lorem ipsum dolor sit amet, "):rep(300)
    for batch = 1, 25 do
      local list = {}
      for i = 1, 60 do
        list[i] = make:insert(("b%d-%d"):format(batch, i), { text = text })
      end
      gateway:send(ann, support.json.array(list))
    end
  end

  local function begin_read(role)
    local connection, bearer = gateway:connect(), gateway:bearer({ actor = role, role = role })
    connection:request({
      path = "/v1/state" .. support.http.query(gateway:ids({ run_id = make.run_id })), headers = { Authorization = "Bearer " .. bearer },
    })
    return { connection = connection, length = tonumber(connection:response_head().headers["content-length"]) }
  end

  --- How many of the answer come, and whether that is because the connection ends.
  local function count_bytes(read)
    local length, deadline = 0, support.clock.deadline()
    while length < read.length do
      local bytes, why = read.connection:read_some(deadline)
      if not bytes then
        return length, why == "closed"
      end
      length = length + #bytes
    end
    return length, false
  end

  it("cuts an answer of the old lens short that its reader has not taken yet, and no other", function()
    fill_run()
    local viewers, editors = begin_read("viewer"), begin_read("editor")
    assert.equal("switched", save_and_reload(NO_VIEWER).status)
    local length, was_closed = count_bytes(viewers)
    assert.is_true(was_closed)
    assert.is_true(length < viewers.length, length .. " bytes")
    assert.same({ editors.length, false }, { count_bytes(editors) })
  end)

  it("that fails leaves the old one in force, and says where", function()
    local stream = open("viewer")
    local result = save_and_reload(BROKEN)
    assert.equal("failed", result.status)
    assert.equal("script_syntax", result.code)
    assert.matches("token_lens%.lua:3$", result.where)
    gateway:send(ann, make:tokens({ ["plan.days"] = 3 }))
    stream:expect("token_patch")
    local list = gateway:admin("/admin/policies").json
    assert.equal("failed", list.defaults.status)
    assert.is_true((gateway:metric("atoms_stale") or 0) > 0)
    assert.same({ status = "ready", stale = { "policies" } }, gateway:admin("/readyz").json)
    assert.same({ status = "ready" }, gateway:get("/readyz").json)
    assert.equal(1, gateway:program({ "reload", "--admin", "http://127.0.0.1:" .. gateway.admin_port }).code)
    assert.equal("switched", save_and_reload(NO_TITLE).status)
    assert.equal("active", gateway:admin("/admin/policies").json.defaults.status)
    assert.same({}, gateway:admin("/readyz").json.stale)
  end)

  it("of a tenant's faulty overlay is told as stale, too, and until it is well", function()
    folder:write("tenants/acme/token_lens.lua", BROKEN)
    assert.equal("failed", change("reload", '{"tenant_id":"acme"}')[1].status)
    assert.equal(1, gateway:metric("atoms_stale"))
    assert.same({ "policies" }, gateway:admin("/readyz").json.stale)
    assert.is_true(gateway:admin("/admin/policies").json.tenants[1].is_stale)
    folder:write("tenants/acme/token_lens.lua", NO_TITLE)
    assert.equal("switched", change("reload", '{"tenant_id":"acme"}')[1].status)
    assert.equal(0, gateway:metric("atoms_stale"))
  end)

  it("that finds no lens at all is told as stale, too", function()
    gateway:get("/v1/state", ann, gateway:ids({ run_id = make.run_id }))
    os.remove(folder.path .. "/token_lens.lua")
    assert.equal("script_missing", change("reload")[1].code)
    assert.same({ "policies" }, gateway:admin("/readyz").json.stale)
    assert.equal(1, gateway:metric("atoms_stale"))
    local listed = gateway:admin("/admin/policies").json.defaults
    assert.same({ "failed", true }, { listed.status, listed.is_stale })
  end)

  local LEANING = [[
    require("defaults.helper")
    return { name = "token_lens", version = 1, api = 1, lens = require("defaults.token_lens").lens }
  ]]

  --- The tenant's overlay needs a file of the defaults that they did not always have.
  local function lean()
    folder:write("helper.lua", "return {}")
    change("reload")
    folder:write("tenants/acme/token_lens.lua", LEANING)
    change("reload", '{"tenant_id":"acme"}')
  end

  local function status()
    return gateway:get("/v1/state", ann, gateway:ids({ run_id = make.run_id })).status
  end

  it("back to what does not work over the defaults of today is none", function()
    lean()
    folder:write("tenants/acme/token_lens.lua", EVERYTHING)
    os.remove(folder.path .. "/helper.lua")
    change("reload")
    local failed = change("rollback", '{"tenant_id":"acme"}')[1]
    assert.same({ "failed", false }, { failed.status, failed.is_denied })
    assert.matches("tenants/acme/token_lens%.lua:1$", failed.where)
    assert.equal(200, status())
  end)

  it("of the defaults tells whom it denies, and that until it is well", function()
    lean()
    assert.equal(200, status())
    local changes = change("rollback")
    assert.same({ "switched", "acme", "failed", true },
      { changes[1].status, changes[2].tenant_id, changes[2].status, changes[2].is_denied })
    assert.equal(403, status())
    assert.equal("denied", gateway:admin("/admin/policies").json.tenants[1].status)
    local listed = gateway:program({ "policies", "--admin", "http://127.0.0.1:" .. gateway.admin_port }).out
    assert.matches("acme +denied", listed)
    local again = gateway:program({ "reload", "--tenant", "acme", "--admin", "http://127.0.0.1:" .. gateway.admin_port })
    assert.matches("nothing is allowed to this tenant", again.out)
    assert.equal(1, again.code)
    change("reload")
    assert.equal(200, status())
  end)

  it("of nothing changes nothing", function()
    assert.equal("unchanged", change("reload")[1].status)
  end)

  it("can be taken back", function()
    local stream = open("viewer")
    save_and_reload(NO_TITLE)
    stream:find("the checkpoint", function(frame)
      return frame.event == "CANVAS_READY"
    end)
    assert.equal("switched", change("rollback")[1].status)
    stream:expect("lens_changed")
    stream:expect("resume")
    assert.is_truthy(stream:expect("CANVAS_READY").raw:find("XYZZY", 1, true))
  end)

  it("ends what was taken back, also when it comes by a signal, and says so", function()
    save_and_reload(NO_TITLE)
    change("rollback")
    local function defaults()
      return gateway:admin("/admin/policies").json.defaults
    end
    assert.is_true(defaults().is_rolled_back)
    local listed = gateway:program({ "policies", "--admin", "http://127.0.0.1:" .. gateway.admin_port }).out
    assert.matches("%(defaults%) +rolled back", listed)
    gateway:signal("HUP")
    support.clock.until_true("the files to be in force", function()
      return not defaults().is_rolled_back
    end)
    assert.matches('"event":"rollback_ended"', gateway:errors())
  end)

  it("goes further back each time, and says to what", function()
    local stream = open("viewer")
    local first = gateway:admin("/admin/policies").json.defaults.number
    local second = save_and_reload(NO_TITLE).generation
    save_and_reload(policies.lens('return actor.role ~= "viewer" and lens.everything() or lens.read_only(lens.everything())'))
    local back = change("rollback")[1]
    assert.same({ "switched", second }, { back.status, back.back_to })
    back = change("rollback")[1]
    assert.same({ "switched", first }, { back.status, back.back_to })
    assert.equal("no_generation", gateway:admin("/admin/policies/rollback", nil, "POST").json.code)
    assert.is_truthy(stream)
  end)

  it("refuses to go back where nothing was", function()
    local answer = gateway:admin("/admin/policies/rollback", nil, "POST")
    assert.same({ 404, "no_generation" }, { answer.status, answer.json.code })
  end)

  it("comes by SIGHUP, too", function()
    local stream = open("viewer")
    folder:write("token_lens.lua", NO_TITLE)
    gateway:signal("HUP")
    stream:expect("lens_changed")
  end)

  it("comes by itself where files are watched", function()
    gateway = support.start({ env = { ATOMS_POLICIES_DIR = folder.path, ATOMS_WATCH_SCRIPTS = "on" } })
    gateway:send(ann, make:mount())
    local stream = open("viewer")
    folder:write("token_lens.lua", NO_TITLE)
    stream:expect("lens_changed")
  end)

  it("of one tenant touches no other, and a broken overlay vetoes nobody", function()
    folder:write("tenants/other/token_lens.lua", EVERYTHING)
    local stranger = gateway:bearer({ actor = "eve", role = "viewer", tenant = "other" })
    local scope = gateway:ids({ tenant_id = "other", run_id = make.run_id })
    assert.equal(200, gateway:get("/v1/state", stranger, scope).status)
    local mine = open("viewer")
    folder:write("tenants/other/token_lens.lua", NO_VIEWER)
    assert.equal("switched", change("reload", '{"tenant_id":"other"}')[1].status)
    assert.equal(403, gateway:get("/v1/state", stranger, scope).status)
    folder:write("tenants/other/token_lens.lua", BROKEN)
    folder:write("token_lens.lua", NO_TITLE)
    local changes = change("reload")
    assert.same({ "switched", "failed" }, { changes[1].status, changes[2].status })
    mine:expect("lens_changed")
  end)

  it("finds the first folder of a tenant that is there already", function()
    local stream = open("viewer")
    folder:write("tenants/acme/token_lens.lua", NO_TITLE)
    folder:write("tenants/nobody/token_lens.lua", NO_TITLE)
    local changes = change("reload")
    assert.same({ 2, "unchanged", "acme", "switched" }, { #changes, changes[1].status, changes[2].tenant_id, changes[2].status })
    stream:expect("lens_changed")
  end)

  it("asks for what it knows", function()
    for body, code in pairs({ ['{"tenant_id":"a/b"}'] = "bad_id", ['{"more":1}'] = "unknown_member", ["[]"] = "bad_shape" }) do
      local answer = gateway:admin("/admin/policies/reload", nil, "POST", body)
      assert.same({ 400, code }, { answer.status, answer.json.code })
    end
    assert.equal("/more", gateway:admin("/admin/policies/reload", nil, "POST", '{"more":1}').json.path)
  end)
end)

describe("many changes under load", function()
  teardown(support.stop_all)

  it("lose nothing, and streams of a lens that stays get not one byte more", function()
    local folder = policies.folder({ ["token_lens.lua"] = reloads.first_lens })
    local gateway = support.start({ env = { ATOMS_POLICIES_DIR = folder.path } })
    local report = reloads.run({ gateway = gateway, folder = folder, streams = 50, switched = 10, reloads = 60 })
    assert.equal(600, report.told)
  end)

  it("reach more streams than are asked in one turn", function()
    local folder = policies.folder({ ["token_lens.lua"] = reloads.first_lens })
    local gateway = support.start({ env = { ATOMS_POLICIES_DIR = folder.path, ATOMS_WORKERS = 1 } })
    local report = reloads.run({ gateway = gateway, folder = folder, streams = 300, switched = 200, reloads = 10 })
    assert.equal(2000, report.told)
  end)
end)

describe("a change of policy that its tenant has no time for at once", function()
  teardown(support.stop_all)

  it("holds the streams back that are not asked yet, and ends none", function()
    local folder = policies.folder({ ["token_lens.lua"] = EVERYTHING })
    local gateway = support.start({
      env = { ATOMS_POLICIES_DIR = folder.path, ATOMS_WORKERS = 1 }, config = "return { scripts = { tenant_ms_per_s = 20 } }",
    })
    local make = command.maker()
    gateway:send(gateway:bearer({}), make:mount())
    local streams = {}
    for i = 1, 40 do
      -- Opening asks for a lens, too, and may have to wait for the next second.
      streams[i] = support.clock.until_true("a stream", function()
        local is_open, stream = pcall(gateway.stream, gateway, {
          bearer = gateway:bearer({ actor = "ann" .. i }), run_id = make.run_id, cursor = "now",
        })
        return is_open and stream
      end)
      streams[i]:expect("resume")
    end
    folder:write("token_lens.lua", policies.lens("local n = 0 for i = 1, 100000 do n = n + i end return lens.everything()"))
    assert.equal("switched", gateway:admin("/admin/policies/reload", nil, "POST").json.changes[1].status)
    support.clock.until_true("the command to be taken", function()
      return gateway:post("/v1/commands", gateway:bearer({}), make:tokens({ ["plan.days"] = 3 })).status == 200
    end)
    for _, stream in ipairs(streams) do
      assert.same({ ["plan.days"] = 3 }, stream:expect("token_patch", 60).json.data.set)
    end
    assert.is_true(gateway:metric("atoms_script_budget_refusals_total") > 0)
  end)
end)

describe("a change of a mounted canvas's manifest", function()
  local gateway, canvases, ann, make

  before_each(function()
    canvases = support.shell.folder() .. "/canvases"
    support.shell.must({ "cp", "-r", "canvases", canvases })
    gateway = support.start({ env = { ATOMS_CANVASES_DIR = canvases } })
    ann, make = gateway:bearer({}), command.maker()
    gateway:send_all(ann, { make:mount(), make:insert("b1", { text = "stays" }) })
  end)

  after_each(support.stop_all)

  local function edit(from, to)
    local path = canvases .. "/planning/manifest.lua"
    local text = support.shell.read(path)
    local first, last = text:find(from, 1, true)
    support.shell.write(path, text:sub(1, first - 1) .. to .. text:sub(last + 1))
    assert.equal("switched", gateway:admin("/admin/policies/reload", nil, "POST").json.changes[1].status)
  end

  it("reaches its runs as an event of the gateway, and the blocks stay", function()
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = "now" })
    stream:expect("resume")
    edit("kinds = {", "kinds = { note = { text = true },")
    local ready = stream:expect("CANVAS_READY")
    assert.is_truthy(ready.id)
    assert.equal("gateway", ready.json.actor.id)
    assert.is_nil(ready.json.data.state)
    assert.is_truthy(ready.json.data.manifest.kinds.note)
    gateway:send(ann, make:insert("n1", { kind = "note", text = "new" }))
    stream:expect("state_patch")
    local blocks = gateway:state(ann, { run_id = make.run_id }).canvases[make.canvas_id or "c1"].blocks
    assert.same({ "stays", "new" }, { blocks.b1.text, blocks.n1.text })
  end)

  it("keeps what its new schema would refuse", function()
    gateway:send(ann, make:tokens({ ["plan.days"] = 300 }))
    edit("max = 365, default = 7", "max = 30, default = 7")
    assert.equal(300, gateway:state(ann, { run_id = make.run_id }).tokens["plan.days"])
    local refused = gateway:post("/v1/commands", ann, gateway:ids(make:tokens({ ["plan.days"] = 31 })))
    assert.is_true(refused.status >= 400)
  end)
end)
