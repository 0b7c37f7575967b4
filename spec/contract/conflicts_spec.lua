-- Conflicts: a refusal says what changed since the command's base, so that its author can decide again without asking.

local support = require("support")
local command, json = support.command, support.json

describe("a conflict", function()
  local gateway, ann, bob, make, base

  setup(function()
    gateway = support.start({})
    ann = gateway:bearer({ actor = "ann" })
    bob = gateway:bearer({ actor = "bob" })
  end)

  before_each(function()
    make = command.maker()
    base = gateway:send_all(ann, { make:mount(), make:insert("b1", { text = "hello" }), make:insert("b2") })[3].cursor
  end)

  teardown(support.stop_all)

  local function post(body, bearer, params)
    return gateway:post("/v1/commands", bearer or ann, body, params)
  end

  local function on(cursor, more)
    local members = { base = cursor }
    for name, value in pairs(more or {}) do
      members[name] = value
    end
    return members
  end

  local function conflict(answer, code)
    assert.same({ 409, code }, { answer.status, answer.json.code }, answer.body)
    return answer.json.changes
  end

  --- The events that a reader gets who asks for them, as envelopes.
  local function events_after(cursor, bearer)
    local list = {}
    for i, item in ipairs(gateway:events(bearer or ann, { run_id = make.run_id, after = cursor }).events) do
      list[i] = item.event
    end
    return list
  end

  it("carries the events since the base, as a reader would get them", function()
    gateway:send(bob, make("block.remove", { id = "b1" }))
    gateway:send(bob, make:tokens({ ["plan.days"] = 9 }))
    local changes = conflict(post(make("block.update", { id = "b1", vis = "x" }, on(base))), "block_removed")
    assert.same(json.array(events_after(base)), changes.events)
    assert.same({ "state_patch", "token_patch" }, { changes.events[1].type, changes.events[2].type })
    assert.is_false(changes.truncated)
    assert.same({}, events_after(changes.cursor))
  end)

  it("gives the base of the next attempt", function()
    gateway:send(bob, make:tokens({ ["plan.days"] = 9 }))
    local days = { ["if"] = { ["/tokens/plan.days"] = 7 } }
    local changes = conflict(post(make:tokens({ ["plan.days"] = 8 }, {}, on(base, days))), "condition_failed")
    local seen = changes.events[1].data.set["plan.days"]
    days = { ["if"] = { ["/tokens/plan.days"] = seen } }
    assert.equal("committed", gateway:send(ann, make:tokens({ ["plan.days"] = 8 }, {}, on(changes.cursor, days))).status)
  end)

  it("has nothing to tell when nothing changed", function()
    local changes = conflict(post(make("block.move", { id = "b1", parent = "b1" }, on(base))), "cycle")
    assert.same({ {}, false }, { changes.events, changes.truncated })
    assert.same({}, events_after(changes.cursor))
  end)

  it("says nothing of changes without a base, or where there is no conflict", function()
    gateway:send(bob, make("block.remove", { id = "b1" }))
    assert.is_nil(conflict(post(make("block.update", { id = "b1", vis = "x" })), "block_removed"))
    local answer = post(make("block.update", { id = "none", vis = "x" }, on(base)))
    assert.same({ 422 }, { answer.status, answer.json.changes })
    assert.is_nil(conflict(post(make("block.update", { id = "b1", vis = "x" }, on("garbled"))), "base_unknown"))
  end)

  it("tells at most 64 events, and where to go on", function()
    local list = {}
    for i = 1, 70 do
      list[i] = make:insert("more" .. i)
    end
    gateway:send_all(bob, list)
    gateway:send(bob, make("block.remove", { id = "b1" }))
    local changes = conflict(post(make("block.update", { id = "b1", vis = "x" }, on(base))), "block_removed")
    assert.same({ 64, true }, { #changes.events, changes.truncated })
    assert.equal(7, #events_after(changes.cursor))
  end)

  it("tells at most 64 KiB", function()
    local text = ("words and more words "):rep(1500)
    for i = 1, 3 do
      gateway:send(bob, make:insert("big" .. i, { text = text }))
    end
    gateway:send(bob, make("block.remove", { id = "b1" }))
    local answer = post(make("block.update", { id = "b1", vis = "x" }, on(base)))
    local changes = conflict(answer, "block_removed")
    assert.same({ 2, true }, { #changes.events, changes.truncated })
    assert.is_true(#answer.body < 66 * 1024)
    assert.equal(2, #events_after(changes.cursor))
  end)

  it("is told through the author's lens", function()
    local narrow = gateway:bearer({ actor = "cid", tokens = { "ui.*" } })
    local mine = gateway:state(narrow, { run_id = make.run_id }).cursor
    gateway:send(bob, make:tokens({ ["plan.days"] = 9 }))
    gateway:send(bob, make:tokens({ ["ui.zoom"] = 2, ["plan.title"] = "secret" }))
    gateway:send(bob, make("block.remove", { id = "b1" }))
    local answer = post(make("block.update", { id = "b1", vis = "x" }, on(mine)), narrow)
    local changes = conflict(answer, "block_removed")
    assert.same({ 2, nil }, { #changes.events, answer.body:find("secret") })
    assert.same(json.array(events_after(mine, narrow)), changes.events)
  end)

  it("names the changes of each refused command of a batch, after those before it", function()
    local batch = json.array({
      make("block.remove", { id = "b1" }), make("block.update", { id = "b1", vis = "x" }, on(base)), make:tokens({ ["plan.days"] = 5 }),
    })
    local answer = post(batch)
    assert.same({ "committed", "refused", "committed" }, { answer.json[1].status, answer.json[2].status, answer.json[3].status })
    local changes = answer.json[2].problem.changes
    assert.same({ 1, "remove" }, { #changes.events, changes.events[1].data.ops[1].op })
  end)

  it("of an atomic batch does not tell what the batch itself would have done", function()
    gateway:send(bob, make:tokens({ ["plan.days"] = 9 }))
    local batch = json.array({ make("block.remove", { id = "b1" }), make("block.update", { id = "b1", vis = "x" }, on(base)) })
    local answer = post(batch, ann, { atomic = 1 })
    local changes = conflict(answer, "block_removed")
    assert.same({ "/1/args/id", 1, "token_patch" }, { answer.json.path, #changes.events, changes.events[1].type })
  end)

  it("of a dry run tells what is there", function()
    gateway:send(bob, make("block.remove", { id = "b1" }))
    local changes = conflict(post(make("block.update", { id = "b1", vis = "x" }, on(base)), ann, { dry_run = 1 }), "block_removed")
    assert.equal(1, #changes.events)
  end)

  it("tells only what is durable, also to many at once", function()
    local connections, count = {}, 12
    for i = 1, count do
      connections[i] = gateway:connect()
      connections[i]:request({ method = "POST", path = "/v1/commands",
        headers = { Authorization = "Bearer " .. ann, ["Content-Type"] = "application/json" },
        body = json.encode(make:tokens({ ["plan.days"] = 100 + i }, {}, on(base, { ["if"] = { ["/tokens/plan.days"] = 7 } }))) })
    end
    local won, told = 0, 0
    for i = 1, count do
      local response = connections[i]:response()
      won = won + (response.status == 200 and 1 or 0)
      if response.status == 409 then
        local changes = json.must(response.body).changes
        told = told + #changes.events
        assert.equal("token_patch", changes.events[1].type)
      end
      connections[i]:close()
    end
    assert.same({ 1, count - 1 }, { won, told })
  end)

  it("of an origin that is out of order is told too", function()
    gateway:send(bob, make:tokens({ ["plan.days"] = 9 }))
    local answer = post(make:tokens({ ["plan.days"] = 8 }, {}, on(base, { origin = "o", n = 2 })))
    assert.same({ 1, "now" }, { #conflict(answer, "out_of_order").events, answer.json.retry })
  end)
end)
