-- The past of a canvas: its revisions, the state as of a cursor, and what differs between two points.

local support = require("support")
local command, json = support.command, support.json

describe("the past of a canvas", function()
  local gateway, ann, make

  setup(function()
    gateway = support.start({ config = "return { limits = { checkpoint_events = 16 } }" })
    ann = gateway:bearer({ actor = "ann" })
  end)

  teardown(support.stop_all)

  before_each(function()
    make = command.maker()
    gateway:send(ann, make:mount())
  end)

  local function get(path, params, bearer)
    local ids = gateway:ids({ run_id = make.run_id, canvas_id = "c1" })
    for name, value in pairs(params or {}) do
      ids[name] = value
    end
    return gateway:get(path, bearer or ann, ids)
  end

  local function history(params)
    local answer = get("/v1/history", params)
    assert.equal(200, answer.status)
    return answer.json
  end

  local function diff(from, to)
    local answer = get("/v1/diff", { from = from, to = to })
    assert.equal(200, answer.status)
    return answer.json
  end

  local function refused(path, params, status, code, bearer)
    local answer = get(path, params, bearer)
    assert.same({ status, code }, { answer.status, answer.json.code })
  end

  local function revs(list)
    local out = {}
    for i, entry in ipairs(list) do
      out[i] = entry.event.data.rev
    end
    return out
  end

  it("lists revisions, the newest first, in pages", function()
    for i = 1, 7 do
      gateway:send_all(ann, { make:insert("b" .. i), make("canvas.commit", { message = "rev " .. i }) })
    end
    local first = history({ limit = 3 })
    assert.same({ { 7, 6, 5 }, true }, { revs(first.commits), first.has_more })
    local second = history({ limit = 3, before = 5 })
    assert.same({ { 4, 3, 2 }, true }, { revs(second.commits), second.has_more })
    local last = history({ limit = 3, before = 2 })
    assert.same({ { 1 }, false }, { revs(last.commits), last.has_more })
    local entry = first.commits[1].event
    assert.same({ "rev 7", "ann", 64 }, { entry.data.message, entry.actor.id, #entry.data.state_hash })
    assert.same({ 7, 6, 5, 4, 3, 2, 1 }, revs(history().commits))
  end)

  it("is empty where there is none", function()
    assert.same({ {}, false }, { history().commits, history().has_more })
    assert.same({}, history({ run_id = command.run() }).commits)
    assert.same({}, history({ canvas_id = "other" }).commits)
  end)

  it("gives the state as of any cursor, across checkpoints", function()
    local seen = {}
    for _, made in ipairs(command.history(make, 60)) do
      local answer = gateway:send(ann, made)
      seen[#seen + 1] = { cursor = answer.cursor, state = gateway:state(ann, { run_id = make.run_id }) }
    end
    gateway:kill()
    gateway:restart()
    for i = 1, #seen, 7 do
      local then_ = gateway:state(ann, { run_id = make.run_id, at = seen[i].cursor })
      assert.same(seen[i].state.canvases, then_.canvases)
      assert.same(seen[i].state.tokens, then_.tokens)
    end
  end)

  it("tells what differs between two revisions, per field, either way", function()
    gateway:send_all(ann, {
      make:insert("a", { kind = "task", text = "one", props = { due = "x" } }), make:insert("b", { after = "a" }),
      make:insert("c", { after = "b" }), make:insert("gone", { after = "c", text = "bye" }), make("canvas.commit", {}),
    })
    gateway:send_all(ann, {
      make:update("a", { done = true }), make("block.update", { id = "a", set = json.object(), unset = { "due" }, vis = "staff" }),
      make:insert("new", { text = "hi", parent = "a" }), make("block.move", { id = "c", parent = json.null }),
      make("block.move", { id = "b", parent = "a", after = "new" }), make("block.remove", { id = "gone" }),
      make:tokens({ ["plan.title"] = "later" }), make("canvas.commit", {}),
    })
    local answer = diff(1, 2)
    local blocks = answer.blocks
    assert.same({ "hi", "a" }, { blocks.added.new.text, blocks.added.new.parent })
    assert.equal("bye", blocks.removed.gone.text)
    assert.same({ from = "x" }, blocks.changed.a.props.due)
    assert.same({ to = true }, blocks.changed.a.props.done)
    assert.same({ from = json.null, to = "staff" }, blocks.changed.a.vis)
    assert.same({ parent = { from = json.null, to = "a" }, after = { from = "a", to = "new" } }, blocks.changed.b)
    assert.same({ after = { from = "a", to = json.null } }, blocks.changed.c)
    assert.equal("later", answer.tokens["plan.title"].to)
    local back = diff(2, 1)
    assert.same({ to = "x" }, back.blocks.changed.a.props.due)
    assert.equal("bye", back.blocks.added.gone.text)
    assert.same(answer.from, back.to)
  end)

  it("takes cursors as well as revisions, and finds nothing between equals", function()
    gateway:send(ann, make:insert("a", { text = "A" }))
    local before = gateway:state(ann, { run_id = make.run_id, canvas_id = "c1" }).cursor
    gateway:send_all(ann, { make:insert("b", { after = "a" }), make("canvas.commit", {}) })
    assert.same({ json.object(), json.object() }, { diff(1, 1).blocks.changed, diff(1, 1).blocks.added })
    local answer = diff(before, 1)
    assert.equal("a", next(answer.blocks.added) == "b" and "a")
    assert.is_nil(next(answer.blocks.changed))
    assert.equal(before, answer.from)
  end)

  it("shows of Tokens what the lens admits", function()
    local narrow = gateway:bearer({ actor = "nat", tokens = { "ui.*" } })
    gateway:send_all(ann, {
      make("canvas.commit", {}), make:tokens({ ["plan.title"] = "secret", ["ui.zoom"] = 2 }), make("canvas.commit", {}),
    })
    local answer = get("/v1/diff", { from = 1, to = 2 }, narrow)
    assert.equal(200, answer.status)
    assert.same({ ["ui.zoom"] = { from = 1, to = 2 } }, answer.json.tokens)
  end)

  it("refuses what is no point of it", function()
    gateway:send(ann, make("canvas.commit", {}))
    refused("/v1/diff", { from = 1, to = 9 }, 422, "unknown_commit")
    refused("/v1/diff", { from = "garbage", to = 1 }, 400, "bad_cursor")
    refused("/v1/diff", { from = 1 }, 400, "bad_parameter")
    refused("/v1/history", { limit = 101 }, 400, "bad_parameter")
    refused("/v1/history", { before = 0 }, 400, "bad_parameter")
    refused("/v1/history", { canvas_id = json.null }, 400, "missing_id")
    refused("/v1/history", { canvas_id = { "c1", "c2" } }, 400, "bad_parameter")
  end)
end)
