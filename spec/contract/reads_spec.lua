-- GET /v1/state and GET /v1/events: durable state as of now or then, pages of the past.

local support = require("support")
local command, json = support.command, support.json

describe("the state", function()
  local gateway, ann, make

  setup(function()
    gateway = support.start({})
    ann = gateway:bearer({})
  end)

  teardown(support.stop_all)

  before_each(function()
    make = command.maker()
  end)

  local function state(more)
    more = more or {}
    more.run_id = more.run_id or make.run_id
    return gateway:state(ann, more)
  end

  it("of a run that nobody began is empty, with a cursor to begin from", function()
    local empty = state()
    for _, name in ipairs({ "canvases", "tokens" }) do
      assert.is_true(json.is_object(empty[name]))
      assert.is_nil(next(empty[name]))
    end
    gateway:send(ann, make:mount())
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id, last_event_id = empty.cursor })
    assert.equal("exact", stream:expect("resume").json.data.status)
    stream:expect("CANVAS_READY")
  end)

  it("holds tokens, canvases and blocks by id, siblings in the order of their labels", function()
    gateway:send_all(ann, {
      make:mount(), make:insert("b1", { text = "one" }), make:insert("b2", { text = "two", after = "b1" }),
      make:insert("b0", { kind = "heading", text = "zero", props = json.object({ level = 1 }) }),
      make:insert("b11", { kind = "task", text = "below", parent = "b1", props = json.object({ done = true, estimate_days = 1.5 }) }),
      make("block.move", { id = "b2", parent = json.null }),
    })
    local now = state()
    local blocks = now.canvases.c1.blocks
    assert.equal("planning", now.canvases.c1.type)
    assert.same({ ["plan.days"] = 7, ["plan.priority"] = "normal", ["plan.title"] = "", ["ui.zoom"] = 1 }, setmetatable(now.tokens, nil))
    assert.same({ "heading", json.null, "zero", 1 }, { blocks.b0.kind, blocks.b0.parent, blocks.b0.text, blocks.b0.props.level })
    assert.same({ "task", "b1", true, 1.5 }, { blocks.b11.kind, blocks.b11.parent, blocks.b11.props.done, blocks.b11.props.estimate_days })
    assert.is_true(blocks.b2.pos < blocks.b0.pos and blocks.b0.pos < blocks.b1.pos)
  end)

  it("of the canvases asked for holds those alone, and the run's tokens", function()
    local other = command.maker({ run_id = make.run_id, canvas_id = "c2" })
    gateway:send_all(ann, { make:mount(), other:mount() })
    local one = state({ canvas_id = "c2" })
    assert.is_nil(one.canvases.c1)
    assert.is_table(one.canvases.c2)
    assert.equal(7, one.tokens["plan.days"])
    assert.is_nil(next(state({ canvas_id = "c9" }).canvases))
  end)

  it("as of a cursor is what it was", function()
    local answers = gateway:send_all(ann, {
      make:mount(), make:insert("b1", { text = "a" }), make:tokens({ ["plan.days"] = 2 }), make("block.remove", { id = "b1" }),
    })
    assert.equal("a", state({ at = answers[2].cursor }).canvases.c1.blocks.b1.text)
    assert.equal(7, state({ at = answers[2].cursor }).tokens["plan.days"])
    assert.equal(2, state({ at = answers[3].cursor }).tokens["plan.days"])
    assert.is_nil(next(state({ at = answers[4].cursor }).canvases.c1.blocks))
    assert.equal(answers[2].cursor, state({ at = answers[2].cursor }).cursor)
  end)

  it("as of a cursor is found behind checkpoints too", function()
    local small = support.start({ config = "return { limits = { checkpoint_events = 16, run_idle_ms = 100, commit_idle_ms = 0 } }" })
    local answers = small:send_all(ann, command.history(make, 200))
    for _, i in ipairs({ 1, 16, 17, 99, 200 }) do
      assert.equal(answers[i].cursor, small:state(ann, { run_id = make.run_id, at = answers[i].cursor }).cursor)
    end
    small:kill()
    small:restart()
    local now = small:state(ann, { run_id = make.run_id })
    assert.equal(answers[200].cursor, now.cursor)
  end)

  it("as of a wrong cursor is refused with the parameter's name", function()
    local foreign = command.maker()
    local cursor = gateway:send(ann, foreign:mount()).cursor
    gateway:send(ann, make:mount())
    for _, at in ipairs({ "nonsense", cursor, ("A"):rep(5000), "now" }) do
      local answer = gateway:get("/v1/state", ann, gateway:ids({ run_id = make.run_id, at = at }))
      assert.same({ 400, "bad_cursor", "at" }, { answer.status, answer.json.code, (answer.json.path:gsub("^[?/]", "")) })
    end
  end)

  it("survives kill -9 as it was acknowledged", function()
    gateway:send_all(ann, command.history(make, 150))
    local before = state()
    gateway:kill()
    gateway:restart()
    assert.same(before, state())
  end)
end)

describe("the events", function()
  local gateway, ann, make, answers, commands

  setup(function()
    gateway = support.start({})
    ann = gateway:bearer({})
    make = command.maker()
    commands = command.history(make, 120)
    answers = gateway:send_all(ann, commands)
  end)

  teardown(support.stop_all)

  local function page(more)
    more.run_id = make.run_id
    return gateway:events(ann, more)
  end

  it("come in pages that join to the whole, each with the cursor to go on from", function()
    local ids, after = {}, nil
    repeat
      local one = page({ after = after, limit = 50 })
      for _, item in ipairs(one.events) do
        ids[#ids + 1] = item.id
        assert.equal(item.event.cause, commands[#ids].command_id)
      end
      after = one.cursor
    until not one.has_more
    assert.equal(120, #ids)
    for i, id in ipairs(ids) do
      assert.equal(answers[i].cursor, id)
    end
  end)

  it("are those of a stream, envelope for envelope", function()
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = "earliest" })
    stream:expect("resume")
    for _, item in ipairs(page({ limit = 1000 }).events) do
      local frame = stream:next()
      assert.equal(item.id, frame.id)
      assert.same(item.event, frame.json)
    end
  end)

  it("after the last one are none", function()
    local last = page({ after = answers[120].cursor })
    assert.equal(0, #last.events)
    assert.is_false(last.has_more)
    assert.equal(answers[120].cursor, last.cursor)
  end)

  it("begin at the first with earliest, or without a cursor", function()
    assert.equal(answers[1].cursor, page({ after = "earliest", limit = 1 }).events[1].id)
    assert.equal(answers[1].cursor, page({ limit = 1 }).events[1].id)
  end)

  it("are limited to a number from 1 to 1000", function()
    for _, limit in ipairs({ "0", "1001", "-1", "ten", "1.5", "", "99999999999999999999" }) do
      local answer = gateway:get("/v1/events", ann, gateway:ids({ run_id = make.run_id, limit = limit }))
      assert.same({ 400, "bad_parameter" }, { answer.status, answer.json.code }, limit)
      assert.matches("limit", answer.json.path)
    end
  end)

  it("of a canvas are its own and the run's", function()
    local other = command.maker({ run_id = make.run_id, canvas_id = "c2" })
    gateway:send(ann, other:mount())
    for _, item in ipairs(page({ canvas_id = "c2", limit = 1000 }).events) do
      assert.is_true(item.event.canvas_id == nil or item.event.canvas_id == "c2")
    end
  end)

  it("after a cursor of another view are refused, so that none is missed", function()
    local narrow = gateway:bearer({ tokens = json.array({ "ui.*" }) })
    local answer = gateway:get("/v1/events", narrow, gateway:ids({ run_id = make.run_id, after = answers[1].cursor }))
    assert.same({ 409, "cursor_of_another_view" }, { answer.status, answer.json.code })
  end)
end)
