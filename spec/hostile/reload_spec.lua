-- What files hold is read again on SIGHUP; what is faulty keeps the old in use, and is told. (The certificate: tls_spec.lua.)

local support = require("support")
local clock, command, json, jwt, shell = support.clock, support.command, support.json, support.jwt, support.shell

describe("on SIGHUP", function()
  local folder, gateway

  before_each(function()
    folder = shell.folder()
  end)

  after_each(support.stop_all)

  local function entries(event)
    local list = {}
    for line in gateway:errors():gmatch("[^\n]+") do
      local entry = json.must(line)
      list[#list + 1] = entry.event == event and entry or nil
    end
    return list
  end

  --- Sends it and waits until `event` has been logged `count` times; the last of them.
  local function reload(event, count)
    gateway:signal("HUP")
    return clock.until_true(event, function()
      local list = entries(event)
      return #list >= count and list[#list]
    end)
  end

  local function stale(what)
    return tonumber(gateway:admin("/metrics").body:match('atoms_stale{what="' .. what .. '"} (%d+)'))
  end

  local function await_stale(what, count)
    clock.until_true(what .. " to be told stale " .. count, function()
      return stale(what) == count
    end)
  end

  describe("the registry", function()
    local path, ann

    local function put(flows)
      shell.write(path, ("return {\n  tenants = {\n    acme = { flows = { %s } },\n  },\n}\n"):format(flows))
    end

    local function start_of(flow_id)
      local make = command.maker({ canvas_id = false })
      return gateway:post("/v1/commands", ann, make("run.start", { flow_id = flow_id })).json
    end

    before_each(function()
      path = folder .. "/registry.lua"
      put('{ flow_id = "one" }')
      gateway = support.start({ env = { ATOMS_REGISTRY_FILE = path } })
      ann = gateway:bearer({ kind = "service" })
    end)

    it("is read again", function()
      assert.equal("unknown_flow", start_of("two").code)
      put('{ flow_id = "two" }')
      assert.equal(path, reload("registry_reloaded", 1).file)
      assert.equal("committed", start_of("two").status)
      assert.equal("unknown_flow", start_of("one").code)
    end)

    it("stays as it was when the file is faulty, and the log says where", function()
      for attempt, case in ipairs({
        { '{ flow_id = "a/b" }', ":3$" },
        { '{ flow = "one" }', ":3$" },
        { '{ flow_id = "x", canvases = { { canvas_id = "c", canvas_type = "none" } } }', ":3$" },
        { '{ flow_id = ', ":3$" },
      }) do
        put(case[1])
        local entry = reload("registry_reload_failed", attempt)
        assert.matches(case[2], entry.where)
        assert.is_true(#entry.message > 5 and #entry.code > 3)
        assert.equal(1, stale("registry"))
        assert.equal("committed", start_of("one").status)
        assert.equal(200, gateway:get("/readyz").status)
      end
      os.remove(path)
      assert.equal(path, reload("registry_reload_failed", 5).where)
      put('{ flow_id = "two" }')
      reload("registry_reloaded", 1)
      assert.equal(0, stale("registry"))
      assert.equal("committed", start_of("two").status)
    end)
  end)

  describe("the key set", function()
    local path, first, second

    local function put(...)
      shell.write(path, jwt.jwks({ ... }))
    end

    local function status_of(key, actor)
      return gateway:get("/v1/state", key:sign(jwt.claims({ actor = actor or "ann" })), gateway:ids()).status
    end

    before_each(function()
      path = folder .. "/keys.json"
      first, second = jwt.key("ES256", "first"), jwt.key("EdDSA", "second")
      put(first)
      gateway = support.start({ env = { ATOMS_JWKS_FILE = path, ATOMS_JWT_SECRET = false } })
    end)

    it("of a file is read again, by every worker; cached bearers of a key that left are refused", function()
      assert.equal(200, status_of(first))
      put(second)
      reload("keys_read", 2)
      for _ = 1, 8 do
        gateway.connection = nil
        assert.equal(401, status_of(first))
        assert.equal(200, status_of(second))
      end
    end)

    it("of a file is read again for a bearer of an unknown key, without a signal", function()
      put(first, second)
      assert.equal(200, status_of(second))
      assert.equal(200, status_of(first))
    end)

    it("stays as it was when the file is faulty", function()
      shell.write(path, '{"keys":[')
      local entry = reload("keys_read_failed", 2)
      assert.equal(path, entry.file)
      assert.matches("JWK set", entry.reason)
      await_stale("keys", 2)
      assert.equal(200, status_of(first))
      put(first, second)
      reload("keys_read", 2)
      await_stale("keys", 0)
      assert.equal(200, status_of(second))
    end)
  end)
end)
