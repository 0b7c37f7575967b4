-- Which verdict a cursor gets, and what follows it.

local support = require("support")
local command = support.command

describe("a resumed stream", function()
  local gateway, ann, make

  setup(function()
    gateway = support.start({})
    ann = gateway:bearer({})
  end)

  teardown(support.stop_all)

  before_each(function()
    make = command.maker()
  end)

  --- A run of `count` events; the cursors of all of them, in order.
  local function history(count, maker, bearer)
    local cursors = {}
    for i, answer in ipairs(gateway:send_all(bearer or ann, command.history(maker or make, count))) do
      cursors[i] = answer.cursor
    end
    return cursors
  end

  local function open(options)
    options.bearer = options.bearer or ann
    options.run_id = options.run_id or make.run_id
    local stream = gateway:stream(options)
    stream:expect("resume")
    return stream
  end

  local function causes(stream, count)
    local list = {}
    for i = 1, count do
      list[i] = stream:next().json.cause
    end
    return list
  end

  local function causes_from(first, last)
    local list = {}
    for _, item in ipairs(gateway:events(ann, { run_id = make.run_id, limit = 1000 }).events) do
      list[#list + 1] = item.event.cause
    end
    return table.move(list, first, last, 1, {})
  end

  local function assert_reset(stream, reason)
    assert.equal("reset", stream.verdict.status)
    assert.equal(reason, stream.verdict.reason)
    local ready = stream:expect("CANVAS_READY")
    assert.is_string(ready.id)
    assert.equal(stream.verdict.head, ready.id)
  end

  it("goes on exactly behind a cursor of the Last-Event-ID header", function()
    local cursors = history(12)
    local stream = open({ last_event_id = cursors[5] })
    assert.equal("exact", stream.verdict.status)
    assert.is_nil(stream.verdict.reason)
    assert.equal(cursors[12], stream.verdict.head)
    assert.same(causes_from(6, 12), causes(stream, 7))
    assert.equal(cursors[12], stream.last_id)
  end)

  it("goes on exactly behind a cursor of the query", function()
    local cursors = history(6)
    assert.same(causes_from(4, 6), causes(open({ cursor = cursors[3] }), 3))
  end)

  it("takes the header before the query", function()
    local cursors = history(6)
    assert.same(causes_from(6, 6), causes(open({ cursor = cursors[1], last_event_id = cursors[5] }), 1))
    assert_reset(open({ cursor = cursors[1], last_event_id = "nonsense" }), "garbled")
  end)

  it("begins fresh without a cursor: a checkpoint, then the tail", function()
    local cursors = history(6)
    local stream = open({})
    assert.equal("fresh", stream.verdict.status)
    assert.equal(cursors[6], stream:expect("CANVAS_READY").id)
    local tail = gateway:send(ann, make:tokens({ ["plan.days"] = 3 }))
    assert.equal(tail.cursor, stream:expect("token_patch").id)
  end)

  it("treats an empty cursor as none", function()
    history(2)
    assert.equal("fresh", open({ cursor = "" }).verdict.status)
  end)

  it("replays every event from earliest on", function()
    history(9)
    local stream = open({ cursor = "earliest" })
    assert.equal("exact", stream.verdict.status)
    assert.same(causes_from(1, 9), causes(stream, 9))
  end)

  it("gives only what comes next from now on, without a checkpoint", function()
    history(4)
    local stream = open({ cursor = "now" })
    assert.equal("exact", stream.verdict.status)
    local answer = gateway:send(ann, make:tokens({ ["plan.days"] = 3 }))
    assert.equal(answer.cursor, stream:expect("token_patch").id)
  end)

  it("gives the last n events", function()
    history(9)
    assert.same(causes_from(7, 9), causes(open({ cursor = "-3" }), 3))
    assert.same(causes_from(1, 9), causes(open({ cursor = "-1000" }), 9))
  end)

  it("counts only the events that the canvas set shows in the last n", function()
    local other = command.maker({ run_id = make.run_id, canvas_id = "c2" })
    gateway:send_all(ann, { make:mount(), other:mount(), make:insert("b1"), other:insert("b1"), make:insert("b2"), other:insert("b2") })
    local stream = open({ canvas_id = "c1", cursor = "-2" })
    assert.equal("b1", stream:expect("state_patch").json.data.ops[1].id)
    assert.equal("b2", stream:expect("state_patch").json.data.ops[1].id)
  end)

  it("goes on behind a commit", function()
    gateway:send_all(ann, { make:mount(), make("canvas.commit"), make:insert("b1"), make("canvas.commit"), make:insert("b2") })
    local stream = open({ canvas_id = "c1", cursor = "@commit:1" })
    assert.equal("exact", stream.verdict.status)
    assert.equal("b1", stream:expect("state_patch").json.data.ops[1].id)
    assert.equal(2, stream:expect("canvas_commit").json.data.rev)
    assert.equal("b1", open({ cursor = "@commit:1" }):expect("state_patch").json.data.ops[1].id)
    assert_reset(open({ canvas_id = "c1", cursor = "@commit:3" }), "unknown_commit")
    assert_reset(open({ canvas_id = "c1", cursor = "@commit:0" }), "unknown_commit")
  end)

  for name, cursor in pairs({
    ["words of ours"] = "nonsense", ["a wrong word"] = "Earliest", ["a negative word"] = "-x", ["a huge number"] = "-99999999999999999999",
    ["a commit of no number"] = "@commit:x", ["what is no base64url"] = "%%%***", ["bytes beyond ASCII"] = "é€\240\159\152\128",
    ["a long text"] = ("A"):rep(6000), ["white space"] = " ", ["a control character"] = "a\1b",
  }) do
    it("resets " .. name .. " as garbled, with status 200", function()
      history(3)
      assert_reset(open({ cursor = cursor }), "garbled")
    end)
  end

  it("resets a cursor of which one character is changed, wherever", function()
    local cursor = history(3)[2]
    for at = 1, #cursor, 7 do
      local other = cursor:sub(at, at) == "A" and "B" or "A"
      assert_reset(open({ last_event_id = cursor:sub(1, at - 1) .. other .. cursor:sub(at + 1) }), "garbled")
    end
  end)

  it("resets a cursor of another run", function()
    local foreign = history(3, command.maker())[2]
    history(3)
    assert_reset(open({ last_event_id = foreign }), "garbled")
  end)

  it("resets a cursor of the same run id in another tenant, project and mode", function()
    local foreign = history(3, command.maker({ run_id = make.run_id, project_id = "p2" }))[2]
    local bob = gateway:bearer({ tenant = "globex", actor = "bob" })
    local stranger = history(3, command.maker({ run_id = make.run_id, tenant_id = "globex" }), bob)[2]
    history(3)
    assert_reset(open({ last_event_id = foreign }), "garbled")
    assert_reset(open({ last_event_id = stranger }), "garbled")
  end)

  it("takes a cursor of a wider canvas set and resets one of a narrower set", function()
    local other = command.maker({ run_id = make.run_id, canvas_id = "c2" })
    gateway:send_all(ann, { make:mount(), other:mount(), make:insert("b1"), other:insert("b1"), make:insert("b2") })
    local function last_id(canvas_id)
      local stream = open({ canvas_id = canvas_id, cursor = "earliest" })
      stream:find("the last event", function(frame)
        return frame.id == stream.verdict.head
      end)
      return stream.last_id
    end
    local timeline, both, one = last_id(nil), last_id({ "c2", "c1" }), last_id("c1")
    local covered = { { timeline, { "c1", "c2" } }, { timeline, "c1" }, { both, "c1" }, { one, "c1" }, { both, { "c1", "c2", "c1" } } }
    for _, pair in ipairs(covered) do
      assert.equal("exact", open({ last_event_id = pair[1], canvas_id = pair[2] }).verdict.status)
    end
    for _, pair in ipairs({ { one, { "c1", "c2" } }, { one, "c2" }, { one }, { both } }) do
      local stream = open({ last_event_id = pair[1], canvas_id = pair[2] })
      assert.equal("reset", stream.verdict.status)
      assert.equal("wider_canvas_set", stream.verdict.reason)
    end
  end)

  it("resets a cursor of another lens class", function()
    local cursors = history(4)
    local narrow = gateway:bearer({ tokens = support.json.array({ "plan.title" }) })
    assert_reset(open({ last_event_id = cursors[2], bearer = narrow }), "class_changed")
  end)

  it("takes the cursor of an actor that has the same lens", function()
    local cursors = history(4)
    local eve = gateway:bearer({ actor = "eve", role = "owner" })
    assert.equal("exact", open({ last_event_id = cursors[2], bearer = eve }).verdict.status)
  end)

  it("begins fresh and empty on a run that does not exist, which creates nothing", function()
    local runs = gateway:metric("atoms_events_total")
    local stream = open({ run_id = "never-begun" })
    assert.equal("fresh", stream.verdict.status)
    local bare = stream:block()
    assert.is_nil(bare.data)
    assert.equal(stream.verdict.head, bare.id)
    assert.equal(runs, gateway:metric("atoms_events_total"))
  end)

  it("carries a stream that was opened before its run began into the run", function()
    local stream = open({})
    local before = stream:block().id
    local cursors = history(3)
    assert.same(causes_from(1, 3), causes(stream, 3))
    local again = open({ last_event_id = before })
    assert.equal("exact", again.verdict.status)
    assert.same(causes_from(1, 3), causes(again, 3))
    assert.equal(cursors[3], again.last_id)
  end)

  it("says so first, whatever the cursor, with an id for the stream and the bearer's end", function()
    history(3)
    for _, cursor in ipairs({ "earliest", "now", "-1", "nonsense", "" }) do
      local stream = gateway:stream({ bearer = ann, run_id = make.run_id, cursor = cursor })
      local first = stream:block()
      assert.equal("resume", first.event)
      assert.is_nil(first.id)
      assert.is_number(first.retry)
      assert.matches("^w%d+%.[%w_-]+$", first.json.data.stream_id)
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$", first.json.data.expires_at)
    end
  end)

  it("sends a checkpoint of several canvases of which only the last frame has an id", function()
    local makers = { make }
    for i = 2, 4 do
      makers[i] = command.maker({ run_id = make.run_id, canvas_id = "c" .. i })
    end
    for _, maker in ipairs(makers) do
      gateway:send_all(ann, { maker:mount(), maker:insert("b1", { text = maker.ids.canvas_id }) })
    end
    local stream = open({})
    local view = support.view.new()
    for i = 1, 4 do
      local frame = view:feed(stream:expect("CANVAS_READY"))
      assert.equal(i == 4, frame.id ~= nil)
    end
    local state = gateway:state(ann, { run_id = make.run_id })
    assert.same(support.view.of(state).tokens, view.tokens)
    for id, canvas in pairs(support.view.of(state).canvases) do
      assert.same(canvas.blocks, view.canvases[id].blocks)
    end
    assert.equal(state.cursor, stream.last_id)
  end)

  it("sends the checkpoint of the canvases asked for alone", function()
    local other = command.maker({ run_id = make.run_id, canvas_id = "c2" })
    gateway:send_all(ann, { make:mount(), other:mount() })
    local stream = open({ canvas_id = "c2" })
    local frame = stream:expect("CANVAS_READY")
    assert.equal("c2", frame.json.canvas_id)
    assert.is_string(frame.id)
  end)

  it("carries the run-wide events and those of its canvases, and no others", function()
    local other = command.maker({ run_id = make.run_id, canvas_id = "c2" })
    gateway:send_all(ann, { make:mount(), other:mount(), other:insert("b1"), make:tokens({ ["plan.days"] = 2 }), other:insert("b2") })
    gateway:send(ann, make:insert("b1"))
    local stream = open({ canvas_id = "c1", cursor = "earliest" })
    local seen = {}
    for i = 1, 3 do
      local frame = stream:next()
      seen[i] = frame.event .. " " .. (frame.json.canvas_id or "run")
    end
    assert.same({ "CANVAS_READY c1", "token_patch run", "state_patch c1" }, seen)
    assert.equal(stream.verdict.head, stream.last_id)
  end)
end)
