-- Undo of one's own command or whole turn, restore of a revision: what comes back, what is told to be left, and that both are commands.

local support = require("support")
local command, json = support.command, support.json

describe("undo and restore", function()
  local gateway, ann, bob, make

  setup(function()
    gateway = support.start({})
    ann, bob = gateway:bearer({ actor = "ann" }), gateway:bearer({ actor = "bob" })
  end)

  teardown(support.stop_all)

  before_each(function()
    make = command.maker()
    gateway:send_all(bob, {
      make:mount(), make:insert("a", { kind = "task", text = "first" }), make:insert("b", { text = "second", after = "a" }),
    })
  end)

  local function state()
    return gateway:state(ann, { run_id = make.run_id })
  end

  local function blocks()
    return state().canvases.c1.blocks
  end

  local function send(who, kind, args, more)
    local made = make(kind, args, more)
    return gateway:send(who, made), made
  end

  local function undo(who, args, more)
    return gateway:send(who, make("undo", args, more))
  end

  local function refused(who, made, code, status)
    local answer = gateway:post("/v1/commands", who, made)
    assert.same({ status, code }, { answer.status, answer.json.code })
  end

  it("takes back one's own last change, and that again", function()
    local _, made = send(ann, "block.update", { id = "a", set = { done = true } })
    local back = undo(ann, { of = made.command_id })
    assert.same({ 1, {} }, { back.events, back.skipped })
    assert.is_nil(blocks().a.props.done)
    local again = make("undo", { of = back.command_id })
    assert.equal(1, gateway:send(ann, again).events)
    assert.is_true(blocks().a.props.done)
  end)

  it("is a command: its repeat changes nothing and gets the first answer", function()
    local _, made = send(ann, "block.remove", { id = "a" })
    local undoing = make("undo", { of = made.command_id })
    local first = gateway:post("/v1/commands", ann, undoing)
    local cursor = state().cursor
    local second = gateway:post("/v1/commands", ann, undoing)
    assert.equal(first.body, second.body)
    assert.equal(cursor, state().cursor)
    assert.equal("first", blocks().a.text)
  end)

  it("leaves what others changed since, and says so", function()
    local _, made = send(ann, "block.update", { id = "a", set = { done = true, due = "hers" } })
    send(bob, "block.update", { id = "a", set = { due = "his" } })
    local answer = undo(ann, { of = made.command_id })
    assert.same({ { path = "/canvases/c1/blocks/a/props/due", reason = "changed_since" } }, answer.skipped)
    local props = blocks().a.props
    assert.same({ nil, "his" }, { props.done, props.due })
  end)

  it("takes back a whole turn of an agent, texts too, among the edits of others", function()
    local bot = gateway:bearer({ actor = "bot", kind = "agent" })
    local origin, base, days = command.id("turn"), state().cursor, state().tokens["plan.days"]
    local function turn(n, made)
      made.origin, made.n, made.base = origin, n, base
      return gateway:send(bot, made)
    end
    turn(1, make:splice("a", 5, 0, " by the agent"))
    turn(2, make:insert("note", { text = "a note" }))
    turn(3, make:splice("a", 0, 5, "FIRST"))
    send(bob, "block.splice", { id = "a", at = 0, del = 0, ins = ">> " }, { base = state().cursor })
    turn(4, make("block.move", { id = "b", parent = "note" }))
    turn(5, make:tokens({ ["plan.days"] = 9 }))
    assert.equal(">> FIRST by the agent", blocks().a.text)
    local answer = undo(bot, { origin = origin })
    assert.same({}, answer.skipped)
    local now = blocks()
    assert.same({ ">> first", json.null, nil }, { now.a.text, now.b.parent, now.note })
    assert.equal(days, state().tokens["plan.days"])
    refused(bot, make("undo", { origin = origin }), "already_undone", 409)
  end)

  it("knows nobody else's changes, and none that there are not", function()
    local _, made = send(bob, "block.update", { id = "a", set = { done = true } })
    refused(ann, make("undo", { of = made.command_id }), "unknown_turn", 422)
    refused(ann, make("undo", { origin = "nobody" }), "unknown_turn", 422)
    refused(ann, make("undo", {}), "missing_arg", 400)
  end)

  it("waits for what is on its way in the same batch", function()
    local set = make:update("a", { done = true })
    local answers = gateway:send(ann, { set, make("undo", { of = set.command_id }), make:update("a", { due = "x" }) })
    assert.same({ "committed", "committed", "committed" }, { answers[1].status, answers[2].status, answers[3].status })
    local props = blocks().a.props
    assert.same({ nil, "x" }, { props.done, props.due })
  end)

  it("is not part of an atomic batch", function()
    local set = make:update("a", { done = true })
    local answer = gateway:post("/v1/commands", ann, { set, make("undo", { of = set.command_id }) }, { atomic = 1 })
    assert.same({ 400, "not_in_batch" }, { answer.status, answer.json.code })
    assert.is_nil(blocks().a.props.done)
  end)

  it("shows in a dry run what it would do, and does not do it", function()
    local _, made = send(ann, "block.remove", { id = "b" })
    local cursor = state().cursor
    local answer = gateway:post("/v1/commands", ann, make("undo", { of = made.command_id }), { dry_run = 1 })
    assert.same({ 200, "would_commit", 1 }, { answer.status, answer.json.status, #answer.json.events })
    assert.equal("insert", answer.json.events[1].data.ops[1].op)
    assert.equal(cursor, state().cursor)
  end)

  it("finds a turn across a restart and many events of others", function()
    local _, made = send(ann, "block.splice", { id = "a", at = 0, del = 5, ins = "gone" }, { base = state().cursor })
    local list = {}
    for i = 1, 600 do
      list[i] = make:tokens({ ["plan.days"] = i % 365 + 1 })
    end
    gateway:send_all(bob, list)
    gateway:kill()
    gateway:restart()
    assert.same({}, undo(ann, { of = made.command_id }).skipped)
    assert.equal("first", blocks().a.text)
  end)

  it("brings back a block to which splices from before its removal are not admitted", function()
    local base = state().cursor
    local _, removing = send(bob, "block.remove", { id = "a" })
    undo(bob, { of = removing.command_id })
    local late = make:splice("a", 5, 0, "!", { base = base })
    for _ = 1, 2 do
      local answer = gateway:post("/v1/commands", ann, late)
      assert.same({ 409, "block_removed", "/args/id" }, { answer.status, answer.json.code, answer.json.path })
      gateway:kill()
      gateway:restart()
    end
    send(ann, "block.splice", { id = "a", at = 5, del = 0, ins = "!" }, { base = state().cursor })
    assert.equal("first!", blocks().a.text)
  end)

  it("restores a revision as it was, in one command", function()
    send(ann, "canvas.commit", { message = "one" })
    local before = state()
    send(bob, "block.remove", { id = "a" })
    send(bob, "block.splice", { id = "b", at = 0, del = 6, ins = "other" }, { base = state().cursor })
    send(bob, "block.insert", { block = { id = "z", kind = "heading", parent = json.null, props = { level = 1 }, text = "new" } })
    send(bob, "block.move", { id = "b", parent = json.null })
    send(bob, "canvas.commit", {})
    local stream = gateway:stream({ bearer = bob, run_id = make.run_id, canvas_id = "c1", cursor = "now" })
    stream:expect("resume")
    local answer = gateway:send(ann, make("canvas.restore", { rev = 1 }))
    assert.same({}, answer.skipped)
    local now = state()
    for id, block in pairs(before.canvases.c1.blocks) do
      local got = now.canvases.c1.blocks[id]
      assert.same({ block.kind, block.text, block.props }, { got.kind, got.text, got.props })
    end
    assert.is_nil(now.canvases.c1.blocks.z)
    assert.is_true(now.canvases.c1.blocks.a.pos < now.canvases.c1.blocks.b.pos)
    for _ = 1, answer.events do
      assert.equal("state_patch", stream:next().event)
    end
    -- The same blocks, the same hash.
    local first, third
    for _, entry in ipairs(gateway:events(ann, { run_id = make.run_id, after = "earliest", limit = 1000 }).events) do
      first = first or (entry.event.type == "canvas_commit" and entry.event.data.state_hash)
    end
    gateway:send(ann, make("canvas.commit", {}))
    for _, entry in ipairs(gateway:events(ann, { run_id = make.run_id, after = "earliest", limit = 1000 }).events) do
      third = entry.event.type == "canvas_commit" and entry.event.data.state_hash or third
    end
    assert.equal(first, third)
    stream:close()
  end)

  it("refuses a revision that there is not", function()
    refused(ann, make("canvas.restore", { rev = 7 }), "unknown_commit", 422)
  end)
end)
