-- The smoke contract: what must hold of every deployment, always. `scripts/smoke URL` runs it against one; without a URL it starts its own.

local support = require("support")
local target = require("support.target")
local command, json, clock = support.command, support.json, support.clock

local REQUIRED = { "tenant_id", "mode", "project_id", "surface_id", "app_id", "run_id" }

describe("the smoke contract", function()
  local t, make

  setup(function()
    t = target.open()
  end)

  teardown(target.close)

  before_each(function()
    local ids = { run_id = command.id("smoke") }
    for name, value in pairs(t.ids) do
      ids[name] = value
    end
    make = command.maker(ids)
  end)

  local function open(options)
    options.bearer, options.run_id = options.bearer or t.bearer, make.run_id
    return t.client:stream(options)
  end

  local function read_to(stream, cursor)
    stream:find("the event of the last command", function(frame)
      return frame.id == cursor
    end)
    return stream
  end

  it("SSE resume is exact: a session cut anywhere joins to what an unbroken one saw", function()
    local unbroken = open({ cursor = "earliest" })
    unbroken:expect("resume")
    local cut, parts = open({ cursor = "earliest" }), {}
    local commands = command.history(make, 60)
    for from = 1, #commands, 10 do
      local answers = t.client:send_all(t.bearer, table.move(commands, from, from + 9, 1, {}))
      read_to(cut, answers[from % 3 + 3].cursor)
      cut:close()
      parts[#parts + 1] = table.concat(cut.carried)
      cut = open({ last_event_id = cut.last_id })
      assert.equal("exact", cut:expect("resume").json.data.status)
    end
    local head = t.client:state(t.bearer, { run_id = make.run_id }).cursor
    read_to(unbroken, head)
    parts[#parts + 1] = table.concat(read_to(cut, head).carried)
    assert.equal(#commands, #unbroken.carried)
    assert.equal(table.concat(unbroken.carried), table.concat(parts))
  end)

  it("events carry every required id, on every frame", function()
    local stream = open({})
    local answers = t.client:send_all(t.bearer, command.history(make, 10))
    local frames = { stream:expect("resume") }
    read_to(stream, answers[10].cursor)
    table.move(stream.passed, 1, #stream.passed, 2, frames)
    assert.is_true(#frames >= 10)
    for _, frame in ipairs(frames) do
      for _, name in ipairs(frame.data and REQUIRED or {}) do
        assert.matches("^[%w_-][%w._-]*$", frame.json[name], frame.raw)
      end
      assert.equal(frame.data and make.run_id, frame.data and frame.json.run_id)
      if frame.event == "state_patch" or frame.event == "canvas_commit" or frame.event == "CANVAS_READY" then
        assert.equal("c1", frame.json.canvas_id)
      end
    end
    stream:close()
  end)

  it("a duplicate command changes nothing and gets the first answer", function()
    t.client:send(t.bearer, make:mount())
    local one = make:insert("b1", { text = "once" })
    local first = t.client:post("/v1/commands", t.bearer, one)
    local before = t.client:state(t.bearer, { run_id = make.run_id })
    for _ = 1, 3 do
      assert.equal(first.body, t.client:post("/v1/commands", t.bearer, one).body)
    end
    assert.same(before, t.client:state(t.bearer, { run_id = make.run_id }))
    one.args.block.text = "twice"
    assert.equal(409, t.client:post("/v1/commands", t.bearer, one).status)
  end)

  it("an expired bearer ends its stream", function()
    local bearer = t.short_bearer()
    if not bearer then
      pending("no bearer that ends soon was given")
      return
    end
    local stream = open({ bearer = bearer, cursor = "now" })
    stream:expect("resume")
    local bye = stream:find("the end", function(frame) return frame.event == "goaway" end, 90)
    assert.equal("auth", bye.json.data.retry)
    assert.is_true(stream:is_ended())
    clock.until_true("the bearer to be refused", function()
      return t.client:get("/v1/state", bearer, t.client:ids({ run_id = make.run_id })).status == 401
    end, 30)
  end)

  it("no bearer, no answer", function()
    for _, path in ipairs({ "/v1/state", "/v1/events", "/v1/stream" }) do
      assert.equal(401, t.client:get(path, false, t.client:ids({ run_id = make.run_id })).status)
    end
    assert.equal(401, t.client:post("/v1/commands", false, make:mount()).status)
  end)

  it("a killed process loses nothing that it acknowledged", function()
    if not t.gateway then
      pending("this deployment is not ours to kill")
      return
    end
    t.client:send(t.bearer, make:mount())
    local headers = { Authorization = "Bearer " .. t.bearer, ["Content-Type"] = "application/json" }
    for round = 1, 3 do
      local connection, acknowledged, sent = t.client:connect(), {}, {}
      for i = 1, 64 do
        sent[i] = make:insert(("b%d-%d"):format(round, i))
        connection:request({ method = "POST", path = "/v1/commands", headers = headers, body = json.encode(sent[i]) })
      end
      for i = 1, 20 * round do
        acknowledged[i] = connection:response().body
      end
      t.gateway:kill()
      connection:close()
      t.gateway:restart()
      local blocks = t.client:state(t.bearer, { run_id = make.run_id }).canvases.c1.blocks
      for i, body in ipairs(acknowledged) do
        assert.is_truthy(blocks[sent[i].args.block.id])
        assert.equal(body, t.client:post("/v1/commands", t.bearer, sent[i]).body)
      end
    end
  end)
end)
