-- The fold of a client, held against spec/vectors/fold.json.

local fold = require("atoms.fold")
local json = require("support.json")
local shell = require("support.shell")

fold.null = json.null

local vectors = json.must(shell.read("spec/vectors/fold.json"))

local function frame_of(source)
  local frame = { type = source.type, canvas_id = source.canvas_id, actor = source.actor, ts = source.ts, data = source.data }
  if source.data == "$mount" then
    frame.data = vectors.mount
  end
  return frame
end

local function feed_all(run, frames)
  for i, frame in ipairs(frames) do
    local ok, problem = run:feed(frame_of(frame), frame.id)
    assert(ok, problem and ("frame %d: %s"):format(i, problem.message))
  end
end

local function expected(case)
  return case.state or {
    tokens = case.tokens,
    canvases = case.canvases,
    graph = case.graph or { nodes = {}, edges = {}, state = json.null },
    chat = case.chat or { messages = {}, order = {} },
  }
end

local function judge(case, run)
  local state = expected(case)
  assert.same(state, run:state())
  assert.same(state, fold.of(run:state()):state())
  assert.equal(case.cursor, run.cursor)
  assert.equal(case.unknown or 0, run.unknown)
  for canvas, rev in pairs(case.revs or {}) do
    assert.equal(rev, run.canvases[canvas].rev)
  end
  for canvas, lists in pairs(case.children or {}) do
    for parent, ids in pairs(lists) do
      assert.same(ids, run:children(canvas, parent ~= "" and parent or nil))
    end
  end
end

describe("the fold of a client", function()
  for _, case in ipairs(vectors.runs) do
    it("of a run: " .. case.name, function()
      local run = fold.new()
      feed_all(run, case.events)
      judge(case, run)
    end)
  end

  for _, case in ipairs(vectors.streams) do
    it("of a stream: " .. case.name, function()
      local run = fold.new()
      feed_all(run, case.frames)
      judge(case, run)
    end)
  end

  for _, case in ipairs(vectors.refused) do
    it("refuses " .. case.name, function()
      local run = fold.new()
      feed_all(run, vectors.refused_after)
      local ok, problem = run:feed(frame_of(case.frame), "e9")
      assert.is_nil(ok)
      assert.equal(case.code, problem.code)
      assert.is_nil(run.cursor)
    end)
  end

  it("shares nothing with the frames that it was fed", function()
    local run, props = fold.new(), { tags = { "a" } }
    feed_all(run, { { type = "CANVAS_READY", canvas_id = "c1", data = "$mount" } })
    run:feed({ type = "state_patch", canvas_id = "c1", data = { ops = {
      { op = "insert", id = "a", kind = "note", parent = json.null, pos = "V", props = props, text = "" } } } })
    props.tags[1] = "changed"
    assert.equal("a", run.canvases.c1.blocks.a.props.tags[1])
  end)
end)
