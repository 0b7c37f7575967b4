-- A run with something hidden in it and its twin without: whoever may not see it is sent the same bytes by both, wherever it looks.
--
-- What differs between any two runs is put aside first: the run's id, times, stream ids. Cursors too, as they are sealed: of each remains
-- its length. A third run, the quiet one, has a command that changed nothing wherever the first has something hidden; such a command takes
-- a position, too, and everybody sees that. There cursors are put aside by the order in which they first appear: that a position was taken
-- tells nobody that something is hidden.

local support = require("support")
local twins = require("support.twins")
local command, json, shell = support.command, support.json, support.shell
local world, reader, same, pattern_of = twins.world, twins.reader, twins.same, twins.pattern_of

local BOARD = [[
return {
  name = "board", version = "1.0.0", api = 1, title = "Board", harness = "workbench",
  tools = { { name = "add", title = "Add", surface = "ToolPop", command = "block.insert" }, %s },
  tokens = { ["board.title"] = { type = "string" }, ["board.spare"] = { type = "string" }, %s },
  kinds = { note = { text = true, props = { cost = { type = "integer" }, %s } } },
  commands = { %s },
}
]]

local MEDIA = BOARD:format('{ name = "shoot", title = "Shoot", surface = "ToolPop", command = "board.shoot" }',
  '["board.cover"] = { type = "sidecar" }', 'image = { type = "sidecar" }',
  '["board.shoot"] = { title = "Shoot", args = { image = { type = "sidecar" } } }')
local PLAIN = BOARD:format("", "", "", "")

local function canvases(manifest)
  local path = shell.folder() .. "/canvases"
  shell.must({ "cp", "-r", "canvases", path })
  shell.must({ "mkdir", "-p", path .. "/board" })
  shell.write(path .. "/board/manifest.lua", manifest)
  return path
end

local function artifact(id)
  return json.object({ artifact_id = id })
end

-- ---- media --------------------------------------------------------------------------------------------------------------------------

local URI = "s3://media/acme/shot-7.exr"

local function snapshot(id, block_id)
  local data = { artifacts = json.array({ json.object({
    artifact_id = id, uri = URI, mime = "image/x-exr", size_bytes = 52428800, checksum = "sha256:" .. ("5e"):rep(16),
    frame_range = json.array({ 1001, 1096 }), created_at = "2026-01-27T10:00:00.123Z",
  }) }) }
  data.block_id = block_id
  return json.object({
    type = "snapshot_created", actor = { id = "gateway", kind = "service" }, data = json.object(data),
    facets = block_id and json.object({ canvas_type = "board", blocks = json.object({ [block_id] = json.object({ kind = "note" }) }) }),
    canvas_id = block_id and "c1",
  })
end

describe("media that an agent without vision may not know of", function()
  local media, plain, director, planner, worlds, readers, cursors, directed

  local function each(act)
    for _, name in ipairs({ "hidden", "quiet", "plain" }) do
      act(worlds[name], readers[name])
    end
  end

  --- With a picture, in the hidden world.
  local function note(own, id, more, picture)
    more.id, more.kind = id, "note"
    more.props = json.object({ cost = 1, image = own.kind == "hidden" and picture and artifact(picture) or nil })
    own:shown(director, "block.insert", { block = json.object(more) })
  end

  --- Before the stop: media in a property and in a Token.
  local function begin(own)
    own:shown(director, "canvas.mount", { canvas_type = "board" })
    note(own, "a", { text = "a" })
    own:concealed(director, "block.update", { id = "a", set = json.object({ image = artifact("art-1") }) })
    own:concealed(director, "token.set", { set = json.object({ ["board.cover"] = artifact("art-2") }) })
    own:shown(director, "canvas.commit")
  end

  --- After it: media that change and go, while the agent follows and writes.
  local function go_on(own, sent)
    local stream = sent:open("live", { cursor = "now" })
    own:shown(director, "block.update", { id = "a", set = json.object({ cost = 4 }) })
    own:concealed(director, "block.update", { id = "a", unset = json.array({ "image" }) })
    note(own, "b", { text = "b", after = "a" })
    own:concealed(director, "block.update", { id = "b", set = json.object({ image = artifact("art-3") }) })
    sent:send("its own note", "block.insert", { block = json.object({ id = "p", kind = "note", text = "plan" }) })
    own:concealed(director, "token.set", { unset = json.array({ "board.cover" }) })
    own:concealed(director, "token.set", { set = json.object({ ["board.cover"] = artifact("art-4") }) })
    note(own, "c", { text = "c", after = "b" }, "art-5")
    note(own, "d", { text = "d", parent = "c", vis = "draft" }, "art-6")
    own:shown(director, "block.update", { id = "d", vis = "final" })
    own:shown(director, "canvas.commit")
    sent:send("its own Token", "token.set", { set = json.object({ ["board.title"] = "LAST" }) })
    local frames = {}
    stream:find("the last", function(frame)
      frames[#frames + 1] = frame.raw
      return frame.raw:find("LAST", 1, true) ~= nil
    end)
    stream:close()
    sent:note("live", table.concat(frames))
  end

  setup(function()
    media = support.start({ env = { ATOMS_CANVASES_DIR = canvases(MEDIA) } })
    plain = support.start({ env = { ATOMS_CANVASES_DIR = canvases(PLAIN) } })
    director = media:bearer({ actor = "dora", kind = "agent", role = "director" })
    planner = media:bearer({ actor = "pat", kind = "agent", role = "planner" })
    local idle = { unset = json.array({ "board.spare" }) }
    worlds = {
      hidden = world(media, "hidden", "run-h", idle),
      quiet = world(media, "quiet", "run-q", idle),
      plain = world(plain, "plain", "run-p", idle),
    }
    readers, cursors = {}, {}
    for name, own in pairs(worlds) do
      readers[name] = reader(own, planner)
    end
    each(begin)
    each(function(own, sent)
      cursors[own.kind] = sent:get("/v1/state").json.cursor
    end)
    directed = reader(worlds.hidden, director)
    cursors.director = directed:get("/v1/state").json.cursor
    each(function(own)
      own:append({ snapshot("art-1", "a"), snapshot("art-2") }, director)
    end)
    each(go_on)
  end)

  teardown(support.stop_all)

  local function lack_words()
    for _, entry in ipairs(readers.hidden.seen) do
      for _, word in ipairs({ "sidecar", "image", "cover", "shoot", "art%-", "snapshot", "s3:", "artifact" }) do
        assert.is_nil(entry.text:find("%f[%w]" .. word), entry.text)
      end
    end
  end

  local function compare()
    same(readers.plain, readers.hidden)
    same(readers.quiet, readers.hidden, true)
    each(function(_, sent)
      sent.seen, sent.cursors, sent.cursor_count = {}, {}, 0
    end)
  end

  it("reach a director on its stream, on resume, and in the pages of events", function()
    directed:look("LAST", cursors.director)
    local found = {}
    for i, entry in ipairs(directed.seen) do
      found[entry.what] = (found[entry.what] or 0) + select(2, directed.seen[i].text:gsub(pattern_of(URI), ""))
    end
    assert.same({ 2, 2, 4 }, { found.earliest, found.resume, found["/v1/events"] })
    local state = media:state(director, { run_id = "run-h" })
    assert.equal("art-3", state.canvases.c1.blocks.b.props.image.artifact_id)
    assert.equal("art-4", state.tokens["board.cover"].artifact_id)
  end)

  it("leave no trace while it follows and writes", function()
    lack_words()
    compare()
  end)

  it("leave no trace where it looks", function()
    each(function(own, sent)
      sent:look("LAST", cursors[own.kind])
    end)
    lack_words()
    compare()
  end)

  it("leave no trace in refusals, conditions and dry runs", function()
    local image, cover = json.object({ image = artifact("art-3") }), json.object({ ["board.cover"] = artifact("art-4") })
    local cost = { id = "b", set = json.object({ cost = 1 }) }
    local function given(pointer, value)
      return { ["if"] = json.object({ [pointer] = value }) }
    end
    each(function(_, sent)
      for _, probe in ipairs({
        { "block.update", { id = "b", set = image } },
        { "block.update", { id = "b", unset = json.array({ "image" }) } },
        { "block.insert", { block = json.object({ id = "x", kind = "note", props = image }) } },
        { "token.set", { set = cover } },
        { "token.set", { unset = json.array({ "board.cover" }) } },
        { "block.update", cost, given("/canvases/c1/blocks/b/props/image", artifact("art-3")) },
        { "block.update", cost, given("/canvases/c1/blocks/b/props/image", artifact("art-1")) },
        { "block.update", cost, given("/canvases/c1/blocks/b/props/image/artifact_id", "art-3") },
        { "block.update", cost, given("/tokens/board.cover", artifact("art-4")) },
        { "block.update", cost, { dry_run = true } },
        { "board.shoot", { image = artifact("art-3") } },
        { "undo", { of = "h-3" } },
        { "block.update", cost, { command_id = "h-3", dry_run = true } },
      }) do
        sent:send(json.encode(probe[2]), table.unpack(probe))
      end
      for _, path in ipairs({ "/v1/artifacts/art-1", "/v1/artifacts/art-1/resolve", "/v1/media/art-1" }) do
        sent:get(path)
      end
    end)
    compare()
  end)

  it("leave no trace in who is there and what they do", function()
    local points = json.object({ kind = "point", blocks = json.array({ "a", "b" }) })
    each(function(own, sent)
      local stream = sent:open("gestures", { cursor = "now" })
      own:gesture(director, points, points)
      sent:note("gesture", stream:see("what the director does", function(frame)
        return frame.event == "gesture"
      end).raw)
      sent:note_answer("its own", own:gesture(planner, points, points))
      sent:get("/v1/presence")
      stream:close()
    end)
    lack_words()
    compare()
  end)

  it("leave no trace where it restores and takes back", function()
    each(function(_, sent)
      sent:send("a restore", "canvas.restore", { rev = 1 }, { canvas_id = "c1" })
      sent:send("a change", "block.update", { id = "a", set = json.object({ cost = 9 }) }, { origin = "tab" })
      sent:send("undone", "undo", { origin = "tab" })
      sent:get("/v1/history", { canvas_id = "c1" })
      sent:get("/v1/state")
    end)
    compare()
  end)

  it("leave no trace where it takes back what they have come into", function()
    each(function(own, sent)
      local turn = { origin = "turn", n = 1 }
      sent:send("its note", "block.insert", { block = json.object({ id = "t", kind = "note", text = "mine" }) }, turn)
      own:concealed(director, "block.update", { id = "t", set = json.object({ image = artifact("art-7") }) })
      sent:send("undone", "undo", { origin = "turn" })
      sent:send("it back", "undo", { of = ("r-%d"):format(own.counts.r) })
      note(own, "e", { text = "e" }, "art-8")
      sent:send("a note gone", "block.remove", { id = "e" }, { origin = "other", n = 1 })
      sent:send("it back", "undo", { origin = "other" })
      sent:get("/v1/events", { limit = 1000 })
      sent:get("/v1/state")
    end)
    compare()
    local blocks = media:state(director, { run_id = "run-h" }).canvases.c1.blocks
    assert.same({ "art-7", "art-8" }, { blocks.t.props.image.artifact_id, blocks.e.props.image.artifact_id })
  end)

  it("stay where they are when it restores", function()
    assert.equal("art-4", media:state(director, { run_id = "run-h" }).tokens["board.cover"].artifact_id)
  end)
end)

-- ---- what is the team's own -----------------------------------------------------------------------------------------------------------

describe("what is labelled internal", function()
  local gateway, editor, other, viewer, worlds, readers, cursors

  local function each(act)
    for _, name in ipairs({ "hidden", "quiet", "plain" }) do
      act(worlds[name], readers[name])
    end
  end

  local function insert(more)
    more.kind = "text"
    return { block = json.object(more) }
  end

  local function begin(own)
    own:shown(editor, "canvas.mount", { canvas_type = "planning" })
    own:shown(editor, "block.insert", insert({ id = "a", text = "a" }))
    own:concealed(editor, "block.insert", insert({ id = "s1", text = "XYZZY", parent = "a", vis = "internal" }))
    own:concealed(editor, "chat_send", { message_id = "m0", text = "XYZZY", vis = "internal" })
    own:shown(editor, "canvas.commit")
  end

  local function go_on(own, sent)
    local stream, frames = sent:open("live", { cursor = "now" }), {}
    own:shown(editor, "block.insert", insert({ id = "b", text = "b", after = "a" }))
    own:concealed(editor, "block.update", { id = "s1", set = json.object({ style = "quote" }) })
    own:concealed(editor, "block.insert", insert({ id = "s2", text = "XYZZY", parent = "s1", vis = "internal" }))
    own:concealed(editor, "graph.node.set", { id = "n0", vis = "internal" })
    own:shown(editor, "graph.node.set", { id = "n1", kind = "step" })
    own:concealed(editor, "graph.edge.set", { id = "e0", from = "n1", to = "n0" })
    own:concealed(editor, "block.move", { id = "s2", parent = "b" })
    own:concealed(editor, "block.remove", { id = "s1" })
    own:shown(editor, "chat_send", { message_id = "m1", text = "hi" })
    own:shown(editor, "canvas.commit")
    own:shown(editor, "token.set", { set = json.object({ ["plan.title"] = "LAST" }) })
    stream:find("the last", function(frame)
      frames[#frames + 1] = frame.raw
      return frame.raw:find("LAST", 1, true) ~= nil
    end)
    stream:close()
    sent:note("live", table.concat(frames))
  end

  setup(function()
    gateway = support.start({})
    editor, viewer = gateway:bearer({ actor = "ann", kind = "agent", role = "editor" }), gateway:bearer({ actor = "vic", role = "viewer" })
    other = gateway:bearer({ actor = "oto", role = "editor" })
    worlds, readers, cursors = {}, {}, {}
    for _, name in ipairs({ "hidden", "quiet", "plain" }) do
      worlds[name] = world(gateway, name, "run-" .. name:sub(1, 1), { set = json.object({ ["plan.days"] = 7 }) })
      readers[name] = reader(worlds[name], viewer)
    end
    each(begin)
    each(function(own, sent)
      cursors[own.kind] = sent:get("/v1/state").json.cursor
      go_on(own, sent)
    end)
  end)

  teardown(support.stop_all)

  local function compare()
    same(readers.plain, readers.hidden)
    same(readers.quiet, readers.hidden, true)
    each(function(_, sent)
      sent.seen, sent.cursors, sent.cursor_count = {}, {}, 0
    end)
  end

  it("is there for an editor", function()
    local seen = gateway:get("/v1/events", editor, gateway:ids({ run_id = "run-h" })).body
    assert.is_true(select(2, seen:gsub("XYZZY", "")) >= 3)
  end)

  it("leaves no trace by how much there is of it", function()
    each(function(own, sent)
      for i = 1, 205 do
        own:concealed(editor, "chat_send", { message_id = "many" .. i, text = "XYZZY", vis = "internal" })
      end
      assert.equal("hi", sent:get("/v1/state").json.chat.messages.m1.text)
      sent:get("/v1/context")
    end)
    compare()
  end)

  it("leaves a viewer no trace, live and where it looks", function()
    each(function(own, sent)
      sent:look("LAST", cursors[own.kind])
    end)
    for _, entry in ipairs(readers.hidden.seen) do
      for _, word in ipairs({ "XYZZY", "internal", "s1", "s2", "m0", "n0", "e0" }) do
        assert.is_nil(entry.text:find('"' .. word .. '"', 1, true), entry.text)
      end
    end
    compare()
  end)

  it("leaves no trace in what people do", function()
    local function done(kind, blocks)
      return json.object({ kind = kind, blocks = blocks and json.array(blocks) })
    end
    each(function(own, sent)
      local stream = sent:open("gestures", { cursor = "now" })
      local function follow(kind)
        local frame = stream:see(kind or "its end", function(frame)
          return frame.event == "gesture" and frame.json.data.kind == kind
        end)
        sent:note("gesture", frame.raw)
        sent:get("/v1/presence")
      end
      own:gesture(editor, done("point", { "a", "s2" }), done("point", { "a" }))
      follow("point")
      if own.kind == "hidden" then
        own:gesture(editor, done("point", { "a", "s2", "s2" }))
      end
      own:gesture(other, done("tick"), done("tick"))
      follow("tick")
      own:gesture(editor, done("select", { "s2", "a", "s1" }), done("select", { "a" }))
      follow("select")
      own:gesture(editor, done("type", { "s2" }), json.object())
      follow(nil)
      for _, id in ipairs({ "s2", "s1", "nope" }) do
        sent:note_answer(id, own:gesture(viewer, done("guess", { id }), done("guess", { id })))
        sent:get("/v1/presence")
      end
      own:gesture(other, json.object(), json.object())
      follow(nil)
      for _, frame in ipairs(stream.ephemera) do
        sent:note("told", frame.raw)
      end
      stream:close()
    end)
    compare()
  end)

  it("leaves no trace in what a viewer is refused, whatever id it guesses", function()
    each(function(_, sent)
      for _, probe in ipairs({
        { "block.update", { id = "s2", set = json.object({ style = "code" }) } },
        { "block.remove", { id = "s2" } },
        { "block.remove", { id = "s1" } },
        { "block.move", { id = "a", parent = "s2" } },
        { "chat_send", { message_id = "m9", text = "re", reply_to = "m0" } },
        { "chat.cancel", { message_id = "m0" } },
        { "graph.node.remove", { id = "n0" } },
        { "block.remove", { id = "a" }, { ["if"] = json.object({ ["/canvases/c1/blocks/s2/text"] = "XYZZY" }) } },
        { "block.remove", { id = "a" }, { dry_run = true } },
        { "undo", { of = "h-1" } },
      }) do
        sent:send(json.encode(probe[2]), table.unpack(probe))
      end
      sent:get("/v1/state", { canvas_id = "s2" })
      sent:get("/v1/history", { canvas_id = "s2" })
    end)
    compare()
  end)
end)

-- ---- revisions that the gateway makes by itself -----------------------------------------------------------------------------------------

local STILLS = BOARD:format("", "", "image = { type = \"sidecar\" }", "")

describe("what is hidden from a reader", function()
  local gateway, director, readers

  local function open(limits)
    gateway = support.start({
      env = { ATOMS_CANVASES_DIR = canvases(STILLS), ATOMS_WORKERS = 1 },
      config = ("return { limits = { %s } }"):format(limits),
    })
    director = gateway:bearer({ actor = "dora", kind = "agent", role = "director" })
    readers = {
      planner = gateway:bearer({ actor = "pat", kind = "agent", role = "planner" }),
      viewer = gateway:bearer({ actor = "vic", role = "viewer" }),
    }
  end

  after_each(support.stop_all)

  local function begin()
    local own = command.maker()
    gateway:send_all(director, { own("canvas.mount", { canvas_type = "board" }), own:insert("a", { kind = "note", text = "a" }) })
    return own
  end

  local function follow(own, bearer)
    local stream = gateway:stream({ bearer = bearer, run_id = own.run_id, cursor = "earliest" })
    stream:expect("resume")
    stream:expect("CANVAS_READY")
    stream:expect("state_patch")
    return stream
  end

  --- Things that one of the readers may not see, each time others.
  local hides = {
    planner = function(own, n)
      return own:update("a", json.object({ image = artifact("art-" .. n) }))
    end,
    viewer = function(own, n)
      return own:insert("s" .. n, { kind = "note", text = "s", vis = "internal" })
    end,
  }

  it("makes no revision when its run falls silent", function()
    open("commit_idle_ms = 200")
    for name, bearer in pairs(readers) do
      local own, other = begin(), begin()
      local stream = follow(own, bearer)
      assert.equal(1, stream:expect("canvas_commit").json.data.rev)
      gateway:send(director, hides[name](own, 1))
      gateway:send(director, other:update("a", json.object({ cost = 1 }))) -- what would be committed has been, when this one is
      local seen = follow(other, bearer)
      seen:find("the second revision", function(frame)
        return frame.event == "canvas_commit" and frame.json.data.rev == 2
      end)
      gateway:send(director, own:update("a", json.object({ cost = 2 })))
      assert.equal(2, stream:expect("state_patch").json.data.ops[1].set.cost, name)
      assert.equal(2, stream:expect("canvas_commit").json.data.rev)
      stream:close()
      seen:close()
    end
  end)

  it("does not count towards the next revision", function()
    open("commit_idle_ms = 0, commit_events = 5")
    for name, bearer in pairs(readers) do
      local own = begin()
      local stream = follow(own, bearer)
      for n = 1, 12 do
        gateway:send(director, hides[name](own, n))
      end
      for n = 2, 5 do
        gateway:send(director, own:update("a", json.object({ cost = n })))
        assert.equal(n, stream:expect("state_patch").json.data.ops[1].set.cost, name)
      end
      assert.equal(1, stream:expect("canvas_commit").json.data.rev)
      stream:close()
    end
  end)
end)
