-- Lenses that go by what a thing is: kind, label, author, canvas. What a class folds is what it reads, and a run with something
-- hidden in it reads like its twin without.

local fold = require("atoms.fold")
local support = require("support")
local command, json = support.command, support.json
local policies = require("support.policies")
local shell = require("support.shell")

fold.null = json.null

local LENSES = policies.lens([[
  local everything = lens.everything()
  if actor.role == "viewer" then
    return lens.redact(lens.hide_vis(everything, { "secret" }), { kinds = { "note" }, props = { "cost" }, text = false })
  elseif actor.role == "planner" then
    return lens.extend(lens.hide_vis(everything, { "secret" }), { vision = false, blocks = { write = { { kinds = { "note" } } } } })
  end
  return everything
]])

local BOARD = [[
return {
  name = "board", version = "1.0.0", api = 1, title = "Board", harness = "workbench",
  tools = {
    { name = "add", title = "Add", surface = "ToolPop", command = "block.insert" },
    { name = "shoot", title = "Shoot", surface = "ToolPop", command = "board.shoot" },
  },
  tokens = { ["board.title"] = { type = "string" }, ["board.cover"] = { type = "sidecar" } },
  kinds = {
    note = { text = true, props = { cost = { type = "integer" }, image = { type = "sidecar" } } },
    box = { text = true },
  },
  commands = { ["board.shoot"] = { title = "Shoot", args = { image = { type = "sidecar" } } } },
}
]]

local function canvases()
  local path = shell.folder() .. "/canvases"
  shell.must({ "cp", "-r", "canvases", path })
  shell.must({ "mkdir", "-p", path .. "/board" })
  shell.write(path .. "/board/manifest.lua", BOARD)
  return path
end

describe("a lens by facets", function()
  local gateway, owner, viewer, planner

  setup(function()
    local folder = policies.folder({ ["token_lens.lua"] = LENSES })
    gateway = support.start({ env = { ATOMS_POLICIES_DIR = folder.path, ATOMS_CANVASES_DIR = canvases() } })
    owner = gateway:bearer({ actor = "dir", kind = "agent", role = "director" })
    viewer = gateway:bearer({ actor = "vic", role = "viewer" })
    planner = gateway:bearer({ actor = "pat", kind = "agent", role = "planner" })
  end)

  teardown(support.stop_all)

  local function artifact(id)
    return json.object({ artifact_id = id })
  end

  local function mount(make)
    return make("canvas.mount", { canvas_type = "board" })
  end

  local function note(make, id, more)
    more.kind = "note"
    return make:insert(id, more)
  end

  --- Every way in which a thing may come into sight and go out of it.
  local function history(make)
    return {
      mount(make),
      note(make, "top", { text = "top", props = json.object({ cost = 3 }) }),
      note(make, "mid", { text = "mid", parent = "top", vis = "secret" }),
      note(make, "leaf", { text = "leaf", parent = "mid", props = json.object({ cost = 1, image = artifact("p1") }) }),
      note(make, "leaf2", { text = "leaf2", parent = "mid", after = "leaf" }),
      make("block.update", { id = "mid", vis = json.null }),
      make("block.update", { id = "top", vis = "secret" }),
      make("block.update", { id = "leaf", set = json.object({ cost = 2, image = artifact("p2") }) }),
      make("block.move", { id = "leaf2", parent = "top" }),
      make("block.update", { id = "top", vis = "secret", unset = json.array({ "cost" }) }),
      make("block.insert", { block = { id = "box", kind = "box", vis = "secret" } }),
      make("block.move", { id = "leaf", parent = "box" }),
      make("graph.node.set", { id = "n1", kind = "step" }),
      make("graph.node.set", { id = "n2", vis = "secret" }),
      make("graph.edge.set", { id = "e1", from = "n1", to = "n2" }),
      make("graph.node.set", { id = "n2", vis = json.null }),
      make("chat_send", { message_id = "m1", text = "psst", vis = "secret" }),
      make("chat_send", { message_id = "m2", text = "hi", reply_to = "m1" }),
      make("token.set", { set = json.object({ ["board.cover"] = artifact("p3"), ["board.title"] = "t" }) }),
      make("block.remove", { id = "mid" }),
      make("block.update", { id = "top", vis = json.null }),
      make("canvas.commit"),
    }
  end

  --- What follows the verdict, up to the head.
  local function replay(bearer, run_id)
    local stream = gateway:stream({ bearer = bearer, run_id = run_id, cursor = "earliest" })
    local head, frames = stream:expect("resume").json.data.head, {}
    stream:find("the head", function(frame)
      frames[#frames + 1] = frame
      return frame.id == head
    end)
    return frames
  end

  local bearers = { viewer = function() return viewer end, planner = function() return planner end, director = function() return owner end }

  for role, get in pairs(bearers) do
    it("shows a " .. role .. " in the state what it folds from its events", function()
      local make = command.maker()
      gateway:send_all(owner, history(make))
      local run = fold.new()
      for _, frame in ipairs(replay(get(), make.run_id)) do
        if frame.data then
          assert(run:feed(frame.json, frame.id))
        end
      end
      local state = gateway:state(get(), { run_id = make.run_id })
      assert.equal(state.cursor, run.cursor)
      state.cursor = nil
      assert.same(state, run:state())
    end)
  end

  it("tells live what it tells on replay, to the byte", function()
    local make, live = command.maker(), {}
    local commands = history(make)
    gateway:send(owner, commands[1])
    local stream = gateway:stream({ bearer = viewer, run_id = make.run_id, cursor = "now" })
    stream:expect("resume")
    gateway:send_all(owner, { table.unpack(commands, 2) })
    local frames = replay(viewer, make.run_id)
    for i = 2, #frames do
      live[i] = stream:find("the next", function() return true end).raw
      assert.equal(frames[i].raw, live[i])
    end
  end)

  --- Without what differs between any two runs: ids, times, cursors.
  local function plain(text, make)
    local out = text:gsub(make.run_id:gsub("%p", "%%%0"), "RUN"):gsub("id: [^\n]*", "id"):gsub('"id":"[^"]*","event"', '"event"')
    for _, name in ipairs({ "ts", "cursor", "cause" }) do
      out = out:gsub(('"%s":"[^"]*"'):format(name), ('"%s":0'):format(name))
    end
    return out
  end

  local function with_sidecars(make, is_with)
    local commands = { mount(make), note(make, "a", { text = "a" }) }
    local function hidden(made)
      commands[#commands + 1] = is_with and made or nil
    end
    hidden(make("block.update", { id = "a", set = json.object({ image = artifact("p1") }) }))
    hidden(make("token.set", { set = json.object({ ["board.cover"] = artifact("p2") }) }))
    hidden(note(make, "s", { text = "secret", vis = "secret", after = "a" }))
    commands[#commands + 1] = make("block.update", { id = "a", set = json.object({ cost = 4 }) })
    hidden(make("chat_send", { message_id = "m0", text = "psst", vis = "secret" }))
    commands[#commands + 1] = make("chat_send", { message_id = "m1", text = "hi" })
    hidden(make("block.update", { id = "a", unset = json.array({ "image" }) }))
    hidden(make("block.update", { id = "a", set = json.object({ image = artifact("p3") }) }))
    commands[#commands + 1] = make("token.set", { set = json.object({ ["board.title"] = "t" }) })
    gateway:send_all(owner, commands)
  end

  local function look(make)
    local ids, frames, checkpoint = gateway:ids({ run_id = make.run_id }), {}, {}
    for i, frame in ipairs(replay(planner, make.run_id)) do
      frames[i] = frame.raw
    end
    local stream = gateway:stream({ bearer = planner, run_id = make.run_id })
    stream:expect("resume")
    stream:find("the checkpoint's end", function(frame)
      checkpoint[#checkpoint + 1] = frame.raw
      return frame.id ~= nil
    end)
    local state, events = gateway:get("/v1/state", planner, ids).body, gateway:get("/v1/events", planner, ids).body
    return plain(table.concat(frames), make), plain(table.concat(checkpoint), make), plain(state, make), plain(events, make)
  end

  it("makes a run with media and secrets read like its twin without", function()
    local with, without = command.maker(), command.maker()
    with_sidecars(with, true)
    with_sidecars(without, false)
    local here, there = { look(with) }, { look(without) }
    for i = 1, 4 do
      assert.equal(there[i], here[i])
      assert.is_nil(here[i]:find("image", 1, true))
      assert.is_nil(here[i]:find("cover", 1, true))
      assert.is_nil(here[i]:find("shoot", 1, true))
    end
  end)

  it("answers the same whether there is something to hide or not", function()
    local with, without = command.maker(), command.maker()
    with_sidecars(with, true)
    with_sidecars(without, false)
    local function answers(make)
      local out = {}
      for i, probe in ipairs({
        make("block.remove", { id = "s" }),
        make("block.update", { id = "s", set = json.object({ cost = 1 }) }),
        make("block.move", { id = "a", parent = "s" }),
        make("block.update", { id = "a", set = json.object({ image = artifact("p1") }) }),
        make("token.set", { set = json.object({ ["board.cover"] = artifact("p2") }) }),
        make("chat.cancel", { message_id = "m0" }),
        make("token.set", { set = json.object({ ["board.title"] = "x" }) },
          { ["if"] = json.object({ ["/canvases/c1/blocks/a/props/image"] = artifact("p3") }) }),
      }) do
        local answer = gateway:post("/v1/commands", planner, probe)
        assert.is_true(answer.status >= 400)
        out[i] = answer.body
      end
      return out
    end
    assert.same(answers(without), answers(with))
  end)

  it("lets a planner write notes and nothing else", function()
    local make = command.maker()
    gateway:send_all(owner, { mount(make), make("block.insert", { block = { id = "box", kind = "box" } }) })
    gateway:send(planner, note(make, "n", { text = "mine" }))
    local answer = gateway:post("/v1/commands", planner, make("block.remove", { id = "box" }))
    assert.same({ 403, "not_allowed", "/args/id" }, { answer.status, answer.json.code, answer.json.path })
    answer = gateway:post("/v1/commands", planner, make("block.insert", { block = { id = "b2", kind = "box" } }))
    assert.same({ 403, "not_allowed" }, { answer.status, answer.json.code })
  end)
end)

local MASKS = [[
local lens = require("atoms.lens")
return {
  name = "token_lens", version = 1, api = 1,
  lens = function(actor)
    local everything = lens.everything()
    if actor.role == "planner" then
      return lens.extend(everything, { transform = "mask", vision = false })
    end
    return actor.role == "viewer" and lens.extend(everything, { transform = "mask" }) or everything
  end,
  transforms = {
    mask = {
      block = function(block)
        block.text = block.text:gsub("%d", "#")
        block.props.cost = block.text:find("#", 1, true) and block.props.cost or nil
        return block
      end,
      token = function(key, value)
        if key == "board.title" then
          return "(title)"
        end
        return value
      end,
      message = function(message)
        message.text = message.text:gsub("%d", "#")
        return message
      end,
    },
  },
}
]]

describe("a lens with a transform", function()
  local gateway, owner, viewer, planner, make

  setup(function()
    local folder = policies.folder({ ["token_lens.lua"] = MASKS })
    gateway = support.start({ env = { ATOMS_POLICIES_DIR = folder.path, ATOMS_CANVASES_DIR = canvases() } })
    owner = gateway:bearer({ actor = "dir", kind = "agent", role = "director" })
    viewer = gateway:bearer({ actor = "vic", role = "viewer" })
    planner = gateway:bearer({ actor = "pat", kind = "agent", role = "planner" })
  end)

  teardown(support.stop_all)

  before_each(function()
    make = command.maker()
    gateway:send_all(owner, {
      make("canvas.mount", { canvas_type = "board" }),
      make:insert("a", { kind = "note", text = "call 555", props = json.object({ cost = 3 }) }),
    })
  end)

  local function splice(id, at, del, ins)
    local base = gateway:state(owner, { run_id = make.run_id }).cursor
    return make("block.splice", { id = id, at = at, del = del, ins = ins }, { base = base })
  end

  local function seen()
    return gateway:state(viewer, { run_id = make.run_id })
  end

  it("shows values as the script makes them, wherever they go out", function()
    local stream = gateway:stream({ bearer = viewer, run_id = make.run_id, cursor = "now" })
    stream:expect("resume")
    gateway:send(owner, splice("a", 5, 3, "1234"))
    local op = stream:expect("state_patch").json.data.ops[1]
    assert.same({ "update", "call ####" }, { op.op, op.text })
    assert.equal(3, op.set.cost)
    gateway:send(owner, splice("a", 5, 4, "me"))
    op = stream:expect("state_patch").json.data.ops[1]
    assert.same({ "update", "call me", "cost" }, { op.op, op.text, op.unset[1] })
    gateway:send(owner, make("token.set", { set = json.object({ ["board.title"] = "secret" }) }))
    assert.equal("(title)", stream:expect("token_patch").json.data.set["board.title"])
    local state = seen()
    assert.equal("call me", state.canvases.c1.blocks.a.text)
    assert.is_nil(state.canvases.c1.blocks.a.props.cost)
    assert.equal("(title)", state.tokens["board.title"])
  end)

  it("tells nothing of a change of which it is shown nothing", function()
    local stream = gateway:stream({ bearer = planner, run_id = make.run_id, cursor = "now" })
    stream:expect("resume")
    gateway:send(owner, make:update("a", json.object({ image = json.object({ artifact_id = "p1" }) })))
    gateway:send(owner, make:update("a", json.object({ cost = 9 })))
    assert.equal("call ###", stream:expect("state_patch").json.data.ops[1].text)
    gateway:send(owner, make("token.set", { set = json.object({ ["board.title"] = "next" }) }))
    stream:expect("token_patch")
  end)

  it("shows a streamed message whole, at its end", function()
    local stream = gateway:stream({ bearer = viewer, run_id = make.run_id, cursor = "now" })
    stream:expect("resume")
    gateway:send(owner, make("chat_send", { message_id = "m1", stream = true, text = "no 1" }))
    assert.equal("", stream:expect("chat_message").json.data.text)
    gateway:send(owner, make("chat.append", { message_id = "m1", offset = 4, text = "2" }))
    gateway:send(owner, make("chat.append", { message_id = "m1", offset = 5, text = "3", ["end"] = "done" }))
    local parts = stream:expect("chat_token").json.data.parts
    assert.same({ "no ###", 0, "done" }, { parts[1].text, parts[1].offset, parts[2]["end"] })
    assert.equal("no ###", seen().chat.messages.m1.text)
  end)

  it("folds to what is read, and cannot be seen through by a condition or a splice", function()
    gateway:send_all(owner, { splice("a", 0, 0, "9 "), make("block.update", { id = "a", set = json.object({ cost = 5 }) }) })
    local run, stream = fold.new(), gateway:stream({ bearer = viewer, run_id = make.run_id, cursor = "earliest" })
    local head = stream:expect("resume").json.data.head
    stream:find("the head", function(frame)
      assert(run:feed(frame.json, frame.id))
      return frame.id == head
    end)
    local state = seen()
    state.cursor = nil
    assert.same(state, run:state())
    local asked = { ["if"] = json.object({ ["/canvases/c1/blocks/a/text"] = "9 call 555" }) }
    local answer = gateway:post("/v1/commands", viewer, make("token.set", { set = json.object({ ["board.title"] = "x" }) }, asked))
    assert.equal("condition_failed", answer.json.code)
    answer = gateway:post("/v1/commands", viewer, splice("a", 0, 0, "x"))
    assert.same({ 403, "not_allowed", "/args/id" }, { answer.status, answer.json.code, answer.json.path })
  end)
end)
