-- The graph of a run: who may change it, how it is told on streams, in the state and in checkpoints, and what survives a kill.

local support = require("support")
local fold = require("atoms.fold")
local command, json = support.command, support.json

fold.null = json.null

describe("the graph", function()
  local gateway, ann, bot, make

  before_each(function()
    gateway = gateway or support.start({})
    ann = gateway:bearer({ actor = "ann" })
    bot = gateway:bearer({ actor = "bot", kind = "agent" })
    make = command.maker({ canvas_id = false })
  end)

  teardown(support.stop_all)

  local function graph()
    return gateway:state(ann, { run_id = make.run_id }).graph
  end

  local function node(id, more)
    local args = json.object({ id = id })
    for name, value in pairs(more or {}) do
      args[name] = value
    end
    return make("graph.node.set", args)
  end

  local function edge(id, from, to, more)
    local args = json.object({ id = id, from = from, to = to })
    for name, value in pairs(more or {}) do
      args[name] = value
    end
    return make("graph.edge.set", args)
  end

  --- Reads until the fold has seen `cursor` of a committed answer's last event: the run's state says so.
  local function folded(stream, predicate)
    local run = fold.new()
    if not stream.verdict then
      stream:expect("resume")
    end
    for frame in function() return stream:next() end do
      assert(run:feed(frame.json, frame.id))
      if predicate(run) then
        return run
      end
    end
  end

  it("is not for users to change", function()
    for _, attempt in ipairs({ node("n"), edge("e", "a", "b"), make("run.set_state", { state = "x" }) }) do
      local answer = gateway:post("/v1/commands", ann, attempt)
      assert.same({ 403, "not_allowed", "/type" }, { answer.status, answer.json.code, answer.json.path })
    end
    for _, kind in ipairs({ "agent", "service" }) do
      local other = gateway:bearer({ actor = "other", kind = kind })
      assert.equal("committed", gateway:send(other, node("n-" .. kind)).status)
    end
  end)

  it("is told by run-wide patches that a client folds into what the state says", function()
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id, canvas_id = "any" })
    stream:expect("resume")
    gateway:send_all(bot, {
      node("plan", { kind = "agent", label = "Plan", props = { model = "small" } }), node("write"), node("gone"),
      edge("e1", "plan", "write", { label = "then" }), edge("e2", "write", "gone"),
      node("plan", { state = "running" }), node("gone", { remove = true }),
      make("run.set_state", { state = "planning", detail = "1 of 2" }),
      node("plan", { state = "done", props = json.null }), make("run.set_state", { state = "idle" }),
    })
    local run = folded(stream, function(it) return it.graph.state == "idle" end)
    local now = graph()
    assert.same(now, run:state().graph)
    assert.same({ "plan", "write" }, { now.edges.e1.from, now.edges.e1.to })
    assert.is_nil(now.edges.e2)
    assert.is_nil(now.detail)
    assert.equal("done", now.nodes.plan.state)
    assert.is_true(now.nodes.plan.started_at <= now.nodes.plan.ended_at)
    stream:close()
  end)

  it("stamps a change of state with the time of its event", function()
    gateway:send(bot, node("n", { state = "running" }))
    local page = gateway:events(ann, { run_id = make.run_id })
    local event = page.events[1].event
    assert.is_nil(event.canvas_id)
    assert.equal(event.ts, event.data.ops[1].started_at)
  end)

  it("begins a checkpoint, and only the last frame of that carries an id", function()
    gateway:send_all(bot, { node("a"), node("b"), edge("e", "a", "b"), make("run.set_state", { state = "planning" }) })
    local stream = gateway:stream({ bearer = ann, run_id = make.run_id })
    stream:expect("resume")
    local patch = stream:expect("state_patch")
    assert.is_nil(patch.id)
    assert.is_nil(patch.json.canvas_id)
    assert.equal(4, #patch.json.data.ops)
    assert.is_string(stream:block().id)
    stream:close()
    gateway:send(bot, make("canvas.mount", { canvas_type = "planning" }, { canvas_id = "c1" }))
    stream = gateway:stream({ bearer = ann, run_id = make.run_id })
    stream:expect("resume")
    assert.is_nil(stream:expect("state_patch").id)
    assert.is_string(stream:expect("CANVAS_READY").id)
    stream:close()
  end)

  it("is the same to those who followed and to those who come late, after any cut and a kill -9", function()
    local list = {}
    for i = 1, 30 do
      list[#list + 1] = node("n" .. i, { label = "step " .. i, state = i % 3 == 0 and "running" or "pending" })
      if i > 1 then
        list[#list + 1] = edge("e" .. i, "n" .. i - 1, "n" .. i)
      end
    end
    list[#list + 1] = node("n7", { remove = true })
    list[#list + 1] = make("run.set_state", { state = "planning" })
    gateway:send_all(bot, list)
    local before = graph()
    gateway:kill()
    gateway:restart()
    assert.same(before, graph())
    local function is_whole(it) return it.graph.state == "planning" end
    for _, cursor in ipairs({ "earliest", false }) do
      local stream = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = cursor or nil })
      assert.same(before, folded(stream, is_whole):state().graph)
      stream:close()
    end
    assert.is_nil(before.nodes.n7)
    assert.is_nil(before.edges.e7)
    assert.is_nil(before.edges.e8)
  end)

  it("is claimed by one of two agents that ask on a condition", function()
    gateway:send(bot, node("n", { state = "pending" }))
    local claim = { ["if"] = { ["/graph/nodes/n/state"] = "pending" } }
    local first = gateway:post("/v1/commands", bot, make("graph.node.set", { id = "n", state = "running" }, claim))
    local second = gateway:post("/v1/commands", bot, make("graph.node.set", { id = "n", state = "running" }, claim))
    assert.same({ 200, 409, "condition_failed" }, { first.status, second.status, second.json.code })
  end)

  it("takes a batch all or none", function()
    local batch = json.array({ node("a"), edge("e", "a", "nowhere") })
    local answer = gateway:post("/v1/commands", bot, batch, { atomic = 1 })
    assert.same({ 422, "unknown_node", "/1/args/to" }, { answer.status, answer.json.code, answer.json.path })
    assert.same(json.object({ nodes = json.object(), edges = json.object(), state = json.null }), graph())
  end)
end)
