-- A lens that shows some Tokens: what it hides leaves no trace, wherever one looks.

local support = require("support")
local command, json = support.command, support.json

local HIDDEN_KEY = "plan.title"
local HIDDEN_VALUE = "XYZZY-hidden-value"

describe("a Token that the lens hides", function()
  local gateway, ann, agent, make

  setup(function()
    gateway = support.start({})
    ann = gateway:bearer({})
    agent = gateway:bearer({ actor = "agent", kind = "agent", role = "planner", tokens = json.array({ "ui.*", "plan.days" }) })
  end)

  teardown(support.stop_all)

  before_each(function()
    make = command.maker()
    gateway:send_all(ann, {
      make:mount(), make:tokens({ [HIDDEN_KEY] = HIDDEN_VALUE }), make:tokens({ ["ui.zoom"] = 2, [HIDDEN_KEY] = HIDDEN_VALUE .. "2" }),
      make:insert("b1", { text = "seen" }),
    })
  end)

  local function assert_no_trace(text)
    assert.is_nil(text:find(HIDDEN_KEY, 1, true), text)
    assert.is_nil(text:find("XYZZY", 1, true), text)
    assert.is_nil(text:find("plan.priority", 1, true), text)
  end

  local function stream_of(options)
    options.bearer, options.run_id = agent, make.run_id
    return gateway:stream(options)
  end

  --- Everything up to the head that the verdict names.
  local function text_of(options)
    local stream = stream_of(options)
    stream:expect("resume")
    local parts = {}
    stream:find("the head", function(frame)
      parts[#parts + 1] = frame.raw
      return frame.id == stream.verdict.head
    end)
    return table.concat(parts), stream
  end

  it("is not in a checkpoint: neither catalogue nor value", function()
    local text, stream = text_of({})
    assert.equal("fresh", stream.verdict.status)
    assert_no_trace(text)
    assert.is_truthy(text:find("ui.zoom", 1, true))
  end)

  it("is not in a replay: a patch of it alone is no frame, a mixed one is cut", function()
    local text = text_of({ cursor = "earliest" })
    assert_no_trace(text)
    local _, patches = text:gsub("event: token_patch\n", "")
    assert.equal(1, patches)
    assert.is_truthy(text:find('"set":{"ui.zoom":2}', 1, true))
  end)

  it("is not in a live stream", function()
    local stream = stream_of({ cursor = "now" })
    stream:expect("resume")
    gateway:send_all(ann, { make:tokens({ [HIDDEN_KEY] = HIDDEN_VALUE }), make:tokens({}, { HIDDEN_KEY }) })
    gateway:send(ann, make:tokens({ ["plan.days"] = 4 }))
    local frame = stream:expect("token_patch")
    assert.equal(4, frame.json.data.set["plan.days"])
    assert_no_trace(frame.raw)
    assert.equal(0, #stream.skipped)
  end)

  it("is not in the state, now or then", function()
    local cursor = gateway:events(agent, { run_id = make.run_id }).events[1].id
    for _, at in ipairs({ "", cursor }) do
      local answer = gateway:get("/v1/state", agent, gateway:ids({ run_id = make.run_id, at = at ~= "" and at or nil }))
      assert.equal(200, answer.status)
      assert_no_trace(answer.body)
    end
  end)

  it("is not in the events", function()
    local answer = gateway:get("/v1/events", agent, gateway:ids({ run_id = make.run_id }))
    assert_no_trace(answer.body)
    assert.equal(3, #answer.json.events)
  end)

  it("leaves the head, the state and the events as they were when only it changes", function()
    local function look()
      local verdict = stream_of({ cursor = "now" }):expect("resume").json.data
      local ids = gateway:ids({ run_id = make.run_id })
      local page = gateway:ids({ run_id = make.run_id, limit = 3 }) -- exactly as many as there are to see
      return { verdict.head, gateway:get("/v1/state", agent, ids).body, gateway:get("/v1/events", agent, ids).body,
               gateway:get("/v1/events", agent, page).body }
    end
    local before = look()
    gateway:send_all(ann, { make:tokens({ [HIDDEN_KEY] = "another" }), make:tokens({ [HIDDEN_KEY] = "and another" }) })
    assert.same(before, look())
  end)

  it("is not counted by the bounds of a commit", function()
    local function commit()
      local answer = gateway:send(agent, make("canvas.commit"))
      local events = gateway:get("/v1/events", agent, gateway:ids({ run_id = make.run_id, limit = 1000 })).json.events
      assert.equal(answer.cursor, events[#events].id)
      return events[#events].event.data
    end
    commit()
    gateway:send_all(ann, { make:tokens({ [HIDDEN_KEY] = "x" }), make:tokens({ [HIDDEN_KEY] = "y" }) })
    local data = commit()
    assert.is_string(data.from)
    assert.is_string(data.to)
  end)

  it("and one that does not exist are refused alike, set, unset or asked for", function()
    local function refusal(key, more)
      local answer = gateway:post("/v1/commands", agent, make("token.set", more(key)))
      return { answer.status, (answer.body:gsub(key:gsub("%p", "%%%0"), "KEY")) }
    end
    for _, more in ipairs({
      function(key) return { set = json.object({ [key] = "x" }) } end,
      function(key) return { unset = json.array({ key }) } end,
    }) do
      assert.same(refusal("plan.never", more), refusal(HIDDEN_KEY, more))
      assert.is_true(refusal(HIDDEN_KEY, more)[1] >= 400)
    end
  end)

  it("cannot be asked for by a condition", function()
    local function ask(key, value)
      local condition = json.object({ ["/tokens/" .. key] = value })
      return gateway:post("/v1/commands", agent, make:tokens({ ["plan.days"] = 5 }, {}, { ["if"] = condition }))
    end
    local right, wrong, absent = ask(HIDDEN_KEY, HIDDEN_VALUE .. "2"), ask(HIDDEN_KEY, "no"), ask("plan.never", "no")
    assert.equal(409, right.status)
    assert.equal(right.body, wrong.body)
    assert.equal((absent.body:gsub("plan%.never", HIDDEN_KEY)), wrong.body)
    assert.equal(200, ask(HIDDEN_KEY, json.null).status)
  end)

  it("is not in a dry run", function()
    local list = json.array({ make:tokens({ ["ui.zoom"] = 3 }), make:tokens({ [HIDDEN_KEY] = "x" }) })
    local answer = gateway:post("/v1/commands", agent, list, { dry_run = 1 })
    assert.is_nil(answer.body:find("XYZZY", 1, true))
  end)

  it("keeps a cursor as good as any, past every 1,024 events that are all hidden", function()
    local commands = {}
    for i = 1, 1100 do
      commands[i] = make:tokens({ [HIDDEN_KEY] = "value " .. i })
    end
    local stream = stream_of({})
    stream:expect("resume")
    stream:expect("CANVAS_READY")
    local before = stream.last_id
    gateway:send_all(ann, commands)
    local bare = stream:find("a bare id", function(frame) return frame.id end)
    assert.is_nil(bare.data)
    for _, cursor in ipairs({ before, bare.id }) do
      assert.equal("exact", stream_of({ last_event_id = cursor }):expect("resume").json.data.status)
    end
  end)

  it("is no part of what another lens is, so that bytes are shared by equal lenses alone", function()
    local twin = gateway:bearer({ actor = "twin", role = "planner", tokens = json.array({ "ui.*", "plan.days" }) })
    local other = gateway:bearer({ actor = "other", role = "planner", tokens = json.array({ "ui.*" }) })
    local cursor = gateway:events(agent, { run_id = make.run_id }).cursor
    local function status(bearer)
      return gateway:stream({ bearer = bearer, run_id = make.run_id, last_event_id = cursor }):expect("resume").json.data.status
    end
    assert.same({ "exact", "reset", "reset" }, { status(twin), status(other), status(ann) })
  end)

  it("is visible to all who see everything, and to none with an empty list", function()
    assert.equal(HIDDEN_VALUE .. "2", gateway:state(ann, { run_id = make.run_id }).tokens[HIDDEN_KEY])
    local none = gateway:bearer({ actor = "none", tokens = json.array() })
    assert.is_nil(next(gateway:state(none, { run_id = make.run_id }).tokens))
  end)
end)
