-- SIGTERM in the middle of everything: streams are told to go, what was admitted is answered, what was acknowledged is durable, nobody can
-- hold the end up, and the program ends with 0 and without a leak (the harness reads what the sanitizers say).

local socket = require("socket")
local support = require("support")
local typist = require("hostile.typist")
local wire = require("hostile.wire")
local clock, command = support.clock, support.command

describe("SIGTERM", function()
  local gateway, ann, make

  local function start(limits)
    gateway = support.start({ config = ("return { shutdown_ms = 1500, limits = { %s } }"):format(limits or "") })
    ann = gateway:bearer({})
    make = command.maker()
    gateway:send(ann, make:mount())
  end

  after_each(support.stop_all)

  local function end_within(seconds)
    local started = clock.now()
    assert.equal(0, gateway:stop())
    local took = clock.now() - started
    assert.is_true(took < seconds, ("it took %.2f s"):format(took))
  end

  it("tells streams to go and when to come back, then ends them", function()
    start()
    local streams = {}
    for i = 1, 20 do
      streams[i] = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = i % 2 == 0 and "earliest" or nil })
      streams[i]:expect("resume")
    end
    end_within(1.4)
    for _, stream in ipairs(streams) do
      local goaway
      for _, frame in ipairs(stream:rest()) do
        goaway = frame.event == "goaway" and frame.json.data or goaway
      end
      assert.equal("draining", goaway.reason)
      assert.equal("now", goaway.retry)
      assert.is_true(goaway.after_ms >= 0)
    end
  end)

  it("answers what is in flight, and keeps what it answered", function()
    start()
    local t = typist.new({ gateway = gateway, bearer = ann, connections = 4, in_flight = 64, next_command = typist.mixed(make) })
    t:connect()
    local signal_at, deadline = 500, clock.deadline()
    while not t:is_over() do
      assert(clock.now() < deadline, "the connections do not end")
      if signal_at and t.answered >= signal_at then
        gateway:signal("TERM")
        signal_at = nil
      end
      local sockets = {}
      t:sockets(sockets)
      for _, raw in ipairs((socket.select(sockets, nil, 0.2))) do
        t:on_readable(raw)
      end
    end
    assert.equal(0, gateway:wait())
    assert.is_true(t.answered >= 500)
    gateway:restart()
    local acknowledged = {}
    for _, entry in ipairs(t.sent) do
      assert.is_true(entry.status == nil or entry.status == 200 or entry.status == 503, entry.answer)
      acknowledged[#acknowledged + 1] = entry.status == 200 and entry or nil
    end
    for i, answer in ipairs(typist.repeat_all(gateway, ann, acknowledged)) do
      assert.equal(acknowledged[i].answer, answer)
    end
  end)

  it("does not wait for idle connections, slow ones, or half a request", function()
    start("header_timeout_ms = 60000, body_timeout_ms = 60000, idle_timeout_ms = 60000")
    local idle, half_head, half_body, fresh = gateway:connect(), gateway:connect(), gateway:connect(), gateway:connect()
    assert.equal(200, idle:call({ path = "/healthz" }).status)
    half_head:send("GET /healthz HT")
    half_body:send(wire.command(ann, make:tokens({ ["plan.days"] = 3 })):sub(1, -2))
    gateway:get("/healthz") -- by now they are read, on one worker at least
    end_within(3)
    for _, connection in ipairs({ idle, half_head, half_body, fresh }) do
      assert.is_true(connection:is_closed())
    end
  end)

  it("does not wait for a reader that never reads", function()
    start("ring_bytes = 65536")
    local stalled = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = "earliest" })
    local prose = ("The quick brown fox jumps over the lazy dog. "):rep(170)
    clock.until_true("the reader to be stalled", function()
      local id = command.id("b")
      gateway:send(ann, { make:insert(id, { text = prose }), make("block.remove", { id = id }) })
      local row = gateway:admin("/admin/streams").json.slowest[1]
      return row and row.is_blocked
    end, 60)
    end_within(3)
    stalled:close()
  end)

  it("takes no new connection while it goes", function()
    start("ring_bytes = 65536")
    local port = gateway.port
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = "now" })
    stream:expect("resume")
    gateway:signal("TERM")
    stream:expect("goaway")
    local raw = socket.tcp()
    raw:settimeout(clock.seconds)
    local ok = raw:connect("127.0.0.1", port)
    if ok then -- by a worker that has not heard of it yet, or by the kernel before the listener closed
      raw:send(wire.request({ path = "/healthz" }))
      local _, message = raw:receive("*a")
      assert.is_true(message == nil or message == "closed")
    end
    assert.equal(0, gateway:wait())
  end)

  it("is the same as SIGINT", function()
    start()
    gateway:signal("INT")
    assert.equal(0, gateway:wait())
  end)

  it("ends a gateway that nobody has asked anything", function()
    gateway = support.start({})
    end_within(1)
  end)
end)
