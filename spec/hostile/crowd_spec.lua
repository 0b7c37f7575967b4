-- More connections than there may be: those over the limit are told so, those within it are served, and afterwards all is as before.

local support = require("support")
local wire = require("hostile.wire")
local clock, http, shell = support.clock, support.http, support.shell

local COUNT, WAVE = 10000, 500

--- All that are served are held open on this side, so a low limit of open files lowers this one.
local function connection_limit()
  local files = tonumber(shell.must({ "sh", "-c", "ulimit -n" })) or math.huge
  return math.min(2000, files - WAVE - 100)
end

local LIMIT = connection_limit()

describe("a crowd", function()
  local gateway, healthz

  setup(function()
    gateway = support.start({ config = ("return { limits = { max_connections = %d } }"):format(LIMIT) })
    healthz = wire.request({ path = "/healthz" })
  end)

  teardown(support.stop_all)

  local function descriptors()
    return tonumber(shell.must({ "sh", "-c", ("ls /proc/%d/fd | wc -l"):format(gateway.pid) }))
  end

  --- Connects WAVE at a time, asks on all, reads from all. Those that were served stay open.
  local function wave(served)
    local connections, refused = {}, 0
    for i = 1, WAVE do
      connections[i] = http.connect(gateway.base)
    end
    for _, connection in ipairs(connections) do
      connection:send(healthz)
    end
    for _, connection in ipairs(connections) do
      local answer = connection:response()
      if answer.status == 200 then
        served[#served + 1] = connection
      else
        refused = refused + 1
        assert.equal(503, answer.status)
        assert.equal("1", answer.headers["retry-after"])
        local problem = support.json.must(answer.body)
        assert.equal("too_many_connections", problem.code)
        assert.same({ name = "max_connections", value = LIMIT, unit = "count" }, problem.limit)
        assert.is_true(connection:is_closed())
        connection:close()
      end
    end
    return refused
  end

  it("of ten thousand meets a limit far lower", function()
    local before, served, refused = descriptors(), {}, 0
    for _ = 1, COUNT / WAVE do
      refused = refused + wave(served)
    end
    assert.equal(COUNT, #served + refused)
    assert.equal(LIMIT, #served)
    assert.equal(refused, gateway:metric("atoms_connections_refused_total"))
    assert.equal(200, gateway:admin("/healthz").status)

    local keepers = { served[1], served[#served // 2], served[#served] }
    for _, connection in ipairs(keepers) do
      assert.equal(200, connection:call({ path = "/healthz" }).status)
    end
    for _, connection in ipairs(served) do
      connection:close()
    end
    clock.until_true("the connections to end", function()
      return gateway:metric("atoms_connections") <= 1
    end)
    clock.until_true("the descriptors to be given back", function()
      return descriptors() <= before
    end)
    assert.equal(200, gateway:get("/healthz").status)
  end)
end)
