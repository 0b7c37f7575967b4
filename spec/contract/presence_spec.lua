-- Who is in a run and what they do there: ephemeral, the newest of each counts, and the lens cuts it.

local policies = require("support.policies")
local support = require("support")
local clock, command, json = support.clock, support.command, support.json

local LENSES = policies.lens([[
  local everything = lens.everything()
  if actor.role == "viewer" then
    return lens.redact(lens.hide_vis(everything, { "internal" }), { kinds = { "heading" }, text = true })
  elseif actor.role == "service" then
    return lens.extend(everything, { presence = false })
  elseif actor.role == "owner" then
    return lens.extend(everything, { events = { "*", "!gesture" } })
  end
  return everything
]])

local function by(actor, event, predicate)
  return function(frame)
    return frame.event == event and frame.json.actor.id == actor and (not predicate or predicate(frame.json.data))
  end
end

local function has_status(status)
  return function(data)
    return data.status == status
  end
end

local function has_days(frame)
  return frame.event == "token_patch" and frame.json.data.set["plan.days"] ~= nil
end

local function is_over(data)
  return next(data) == nil
end

describe("presence and gestures", function()
  local gateway, folder, make, bearers

  setup(function()
    folder = policies.folder({ ["token_lens.lua"] = LENSES })
    gateway = support.start({ env = { ATOMS_POLICIES_DIR = folder.path, ATOMS_WORKERS = "2" },
      config = "return { limits = { gesture_lease_ms = 1500, max_present_actors = 4 } }" })
    bearers = {}
    for actor, role in pairs({ ann = "editor", bob = "editor", vic = "viewer", sam = "service", olga = "owner", pat = "planner" }) do
      bearers[actor] = gateway:bearer({ actor = actor, role = role, kind = role == "planner" and "agent" or nil })
    end
  end)

  teardown(support.stop_all)

  before_each(function()
    make = command.maker()
    gateway:send_all(bearers.ann, {
      make:mount(), make:mount({ canvas_id = "c2" }), make:insert("b1", { text = "one" }),
      make:insert("b2", { text = "two", vis = "internal" }), make:insert("h1", { kind = "heading", text = "three" }),
    })
  end)

  local function follow(actor, options)
    options = options or {}
    options.bearer, options.run_id, options.cursor = bearers[actor], make.run_id, options.cursor or "now"
    local stream = gateway:stream(options)
    stream:expect("resume")
    return stream
  end

  local function post(actor, data, more)
    local body = gateway:ids({ run_id = make.run_id })
    body.canvas_id, body.data = "c1", data
    for name, value in pairs(more or {}) do
      body[name] = value
    end
    return gateway:post("/v1/gestures", bearers[actor], body)
  end

  local function show(actor, data, more)
    local answer = post(actor, data, more)
    assert(answer.status == 200, answer.body)
  end

  local function roster(actor)
    local answer = gateway:get("/v1/presence", bearers[actor], gateway:ids({ run_id = make.run_id }))
    assert(answer.status == 200, answer.body)
    return answer.json.actors
  end

  local function reload()
    assert.equal(200, gateway:admin("/admin/policies/reload", nil, "POST").status)
  end

  local function names(actors)
    local out = {}
    for i, entry in ipairs(actors) do
      out[i] = entry.actor.id
    end
    return out
  end

  local function select(...)
    return json.object({ kind = "select", blocks = json.array({ ... }) })
  end

  -- ---- who is there ----

  it("tells who is there, who comes and who has gone, and not oneself", function()
    local ann = follow("ann")
    local bob = follow("bob")
    ann:see("bob", by("bob", "presence", has_status("here")))
    bob:see("ann", by("ann", "presence", has_status("here")))
    assert.same({ "ann", "bob" }, names(roster("ann")))
    bob:close()
    local gone = ann:see("bob's end", by("bob", "presence", has_status("gone")))
    assert.is_nil(gone.id)
    assert.same({ "ann" }, names(roster("ann")))
    for _, frame in ipairs(ann.ephemera) do
      assert.not_equal("ann", frame.json.actor.id)
    end
  end)

  it("does not take a short break for an end", function()
    local ann, bob = follow("ann"), follow("bob")
    ann:see("bob", by("bob", "presence", has_status("here")))
    bob:close()
    follow("bob")
    show("pat", json.object({ kind = "think" }))
    ann:see("what came behind", by("pat", "gesture"))
    for _, frame in ipairs(ann.ephemera) do
      assert.not_equal("gone", frame.json.data.status)
    end
  end)

  it("counts an agent without a stream as long as its gesture holds", function()
    local ann = follow("ann")
    show("pat", json.object({ kind = "think", props = json.object({ note = "reading", done = 0.5 }) }))
    local here = ann:see("the agent", by("pat", "presence", has_status("here")))
    assert.equal("agent", here.json.actor.kind)
    assert.equal("reading", ann:see("what it does", by("pat", "gesture")).json.data.props.note)
    assert.same({ "ann", "pat" }, names(roster("ann")))
    ann:see("its end", by("pat", "presence", has_status("gone")))
    assert.same({ "ann" }, names(roster("ann")))
  end)

  it("begins anew with each resume", function()
    local bob = follow("bob")
    show("bob", select("b1"))
    local ann = follow("ann")
    ann:see("bob", by("bob", "presence", has_status("here")))
    ann:see("what bob does", by("bob", "gesture"))
    gateway:send(bearers.ann, make:tokens({ ["plan.days"] = 3 }))
    local cursor = ann:expect("token_patch").id
    ann:close()
    local again = follow("ann", { last_event_id = cursor })
    assert.equal("exact", again.verdict.status)
    again:see("bob", by("bob", "presence", has_status("here")))
    again:see("what bob does", by("bob", "gesture"))
    bob:close()
  end)

  it("tells no more actors than max_present_actors, and refuses gestures of others", function()
    for i = 1, 4 do
      bearers["x" .. i] = gateway:bearer({ actor = "x" .. i, role = "editor" })
      follow("x" .. i)
    end
    local ann = follow("ann")
    assert.same({ "x1", "x2", "x3", "x4" }, names(roster("ann")))
    local answer = post("ann", select("b1"))
    assert.same({ 503, "too_many_actors" }, { answer.status, answer.json.code })
    gateway:send(bearers.ann, make:tokens({ ["plan.days"] = 3 }))
    ann:expect("token_patch")
  end)

  -- ---- what they do ----

  it("tells the newest gesture of each, at most thirty times a second", function()
    local ann = follow("ann")
    local from = clock.now()
    for i = 1, 60 do
      show("bob", json.object({ kind = "pointer", x = i, y = -i / 2 }))
    end
    ann:see("the last", by("bob", "gesture", function(data)
      return data.x == 60
    end))
    local count = 0
    for _, frame in ipairs(ann.ephemera) do
      count = count + (frame.event == "gesture" and 1 or 0)
    end
    assert.is_true(count <= 30 * (clock.now() - from) + 2, count .. " frames")
  end)

  it("replaces a gesture, ends it, and lets it run out", function()
    local ann, bob = follow("ann"), follow("bob")
    show("bob", select("b1"))
    local shown = ann:see("the first", by("bob", "gesture")).json
    assert.same({ "c1", { "b1" } }, { shown.canvas_id, shown.data.blocks })
    show("bob", json.object({ kind = "type", blocks = json.array({ "b1" }), at = 1, to = 3 }))
    assert.same({ 1, 3 }, { ann.ephemera and roster("ann")[2].gesture.data.at, roster("ann")[2].gesture.data.to })
    show("bob", json.object())
    assert.is_nil(ann:see("its end", by("bob", "gesture", is_over)).json.canvas_id)
    show("bob", select("b1"))
    ann:see("another", by("bob", "gesture", function(data)
      return data.kind == "select"
    end))
    ann:see("its lease", by("bob", "gesture", is_over))
    assert.same({ "ann", "bob" }, names(roster("ann")))
    bob:close()
  end)

  it("is told on streams of its canvas, and of all", function()
    local here, other, all = follow("ann", { canvas_id = "c1" }), follow("ann", { canvas_id = "c2" }), follow("ann")
    show("bob", select("b1"))
    here:see("it", by("bob", "gesture"))
    all:see("it", by("bob", "gesture"))
    show("bob", json.object({ kind = "look" }), { canvas_id = "c2" })
    other:see("the second", by("bob", "gesture", function(data)
      return data.kind == "look"
    end))
    here:see("that it left", by("bob", "gesture", is_over))
    assert.equal(1, #other.ephemera - 1) -- bob's presence, and the second
  end)

  it("is in no cursor: the frames with an id are the same with and without", function()
    local ann, bob = follow("ann"), follow("bob", { cursor = "earliest" })
    show("pat", select("b1"))
    gateway:send(bearers.ann, make:tokens({ ["plan.days"] = 3 }))
    ann:see("it", by("pat", "gesture"))
    bob:find("the Token", has_days)
    local again = follow("bob", { cursor = "earliest" })
    again:find("the Token", has_days)
    assert.equal(table.concat(bob.carried), table.concat(again.carried))
  end)

  -- ---- the lens ----

  it("shows of the blocks those that a class reads, and a gesture about none of them not at all", function()
    local vic, ann = follow("vic"), follow("ann")
    show("bob", select("b2", "b1"))
    assert.same({ "b1" }, vic:see("its part", by("bob", "gesture")).json.data.blocks)
    assert.same({ "b2", "b1" }, ann:see("all of it", by("bob", "gesture")).json.data.blocks)
    show("bob", select("b2"))
    vic:see("nothing any more", by("bob", "gesture", is_over))
    ann:see("the second", by("bob", "gesture", function(data)
      return #data.blocks == 1
    end))
    assert.is_nil(roster("vic")[2].gesture)
    assert.equal("b2", roster("ann")[2].gesture.data.blocks[1])
    for _, frame in ipairs(vic.ephemera) do
      assert.is_nil(frame.raw:find("b2", 1, true), frame.raw)
    end
  end)

  it("follows what becomes of a block", function()
    local vic = follow("vic")
    bearers.long = bearers.bob
    show("bob", select("b1"))
    vic:see("it", by("bob", "gesture"))
    gateway:send(bearers.ann, make("block.update", { id = "b1", vis = "internal" }))
    vic:see("that it is hidden", by("bob", "gesture", is_over))
    assert.is_nil(roster("vic")[1].gesture)
  end)

  it("shows no offsets into a text that is redacted, and no block that its author does not see", function()
    local vic, ann = follow("vic"), follow("ann")
    show("bob", json.object({ kind = "type", blocks = json.array({ "h1" }), at = 4 }))
    assert.same({ kind = "type", blocks = { "h1" } }, vic:see("it", by("bob", "gesture")).json.data)
    assert.equal(4, ann:see("it", by("bob", "gesture")).json.data.at)
    show("vic", select("b2"))
    show("vic", select("b1", "b2"))
    assert.same({ "b1" }, ann:see("what vic sees", by("vic", "gesture", function(data)
      return data.kind
    end)).json.data.blocks)
  end)

  it("keeps whom it does not admit out, unseen", function()
    local ann, sam = follow("ann"), follow("sam")
    local answer = post("sam", select("b1"))
    assert.same({ 403, "not_allowed" }, { answer.status, answer.json.code })
    answer = gateway:get("/v1/presence", bearers.sam, gateway:ids({ run_id = make.run_id }))
    assert.same({ 403, "not_allowed" }, { answer.status, answer.json.code })
    show("bob", select("b1"))
    ann:see("bob", by("bob", "gesture"))
    gateway:send(bearers.ann, make:tokens({ ["plan.days"] = 3 }))
    sam:expect("token_patch")
    assert.equal(0, #sam.ephemera)
    assert.same({ "ann", "bob" }, names(roster("ann")))
    local olga = follow("olga")
    olga:see("bob", by("bob", "presence"))
    show("pat", json.object({ kind = "think" }))
    olga:see("pat", by("pat", "presence"))
    for _, frame in ipairs(olga.ephemera) do
      assert.equal("presence", frame.event)
    end
    assert.is_nil(roster("olga")[2].gesture)
  end)

  it("goes by the new lens after a change of policy, and back", function()
    local ann, vic = follow("ann"), follow("vic")
    ann:see("vic", by("vic", "presence", has_status("here")))
    folder:write("token_lens.lua", (LENSES:gsub('actor.role == "service"', 'actor.role == "viewer" or actor.role == "service"')
      :gsub('if actor.role == "viewer" then', "if false then")))
    reload()
    vic:expect("lens_changed")
    vic:expect("resume")
    ann:see("that vic is unseen", by("vic", "presence", has_status("gone")))
    local before = #vic.ephemera
    show("bob", select("b1"))
    ann:see("bob", by("bob", "gesture"))
    gateway:send(bearers.ann, make:tokens({ ["plan.days"] = 3 }))
    vic:find("the Token", function(frame)
      return frame.event == "token_patch"
    end)
    assert.equal(before, #vic.ephemera)
    folder:write("token_lens.lua", LENSES)
    reload()
    vic:find("another verdict", function(frame)
      return frame.event == "resume"
    end)
    ann:see("vic again", by("vic", "presence", has_status("here")))
    vic:see("bob", by("bob", "presence", has_status("here")))
  end)

  -- ---- what is refused ----

  local RULES = { limit_gesture = true, bytes_refused = true, out_of_range = true }
  local text = ("x"):rep(257)
  local many, props = {}, {}
  for i = 1, 65 do
    many[i] = "b" .. i
  end
  for i = 1, 17 do
    props["p" .. i] = i
  end
  for what, given in pairs({
    ["a list"] = { json.array({}), "bad_shape", "/data" },
    ["no kind"] = { { x = 1, y = 2 }, "missing_member", "/data/kind" },
    ["a kind that is no id"] = { { kind = "a b" }, "bad_id", "/data/kind" },
    ["an unknown member"] = { { kind = "k", html = "<b>" }, "unknown_member", "/data/html" },
    ["half a place"] = { { kind = "k", x = 1 }, "missing_member", "/data/y" },
    ["a place in words"] = { { kind = "k", x = "1", y = 2 }, "bad_shape", "/data/x" },
    ["an offset without a block"] = { { kind = "k", at = 1 }, "missing_member", "/data/blocks" },
    ["a range without a beginning"] = { { kind = "k", blocks = json.array({ "b" }), to = 1 }, "missing_member", "/data/at" },
    ["an offset below 0"] = { { kind = "k", blocks = json.array({ "b" }), at = -1 }, "out_of_range", "/data/at" },
    ["a block that is no id"] = { { kind = "k", blocks = json.array({ "b", "../x" }) }, "bad_id", "/data/blocks/1" },
    ["too many blocks"] = { { kind = "k", blocks = json.array(many) }, "limit_gesture", "/data/blocks" },
    ["too many properties"] = { { kind = "k", props = json.object(props) }, "limit_gesture", "/data/props" },
    ["a long text"] = { { kind = "k", props = json.object({ a = text }) }, "limit_gesture", "/data/props/a" },
    ["a nested property"] = { { kind = "k", props = json.object({ a = json.array({}) }) }, "bad_shape", "/data/props/a" },
    ["bytes"] = { { kind = "k", props = json.object({ a = "data:image/png;base64,AAAA" }) }, "bytes_refused", "/data/props/a" },
    ["a control character"] = { { kind = "k", props = json.object({ a = "\27[2J" }) }, "bytes_refused", "/data/props/a" },
  }) do
    it("refuses " .. what, function()
      local answer = post("bob", what ~= "a list" and json.object(given[1]) or given[1])
      assert.same({ RULES[given[2]] and 422 or 400, given[2], given[3] }, { answer.status, answer.json.code, answer.json.path })
    end)
  end

  it("refuses a canvas that is not mounted, and what is missing", function()
    local answer = post("bob", select("b1"), { canvas_id = "nope" })
    assert.same({ 422, "canvas_not_mounted" }, { answer.status, answer.json.code })
    for _, name in ipairs({ "run_id", "canvas_id", "tenant_id" }) do
      answer = post("bob", select("b1"), { [name] = json.null })
      assert.equal(400, answer.status)
      assert.equal("/" .. name, answer.json.path)
    end
    answer = post("bob", select("b1"), { command_id = "c" })
    assert.same({ "unknown_member", "/command_id" }, { answer.json.code, answer.json.path })
  end)
end)
