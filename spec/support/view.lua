--- What a client shows: lua/atoms/fold.lua over the frames of a stream, in the shape that specs compare.
---
---   view.new() → v    v:feed(frame) → frame    v.tokens = {key=value}    v.canvases[id] = {type=, rev=, blocks={id={kind, parent, …}}}
---   v:text(canvas_id, block_id)
---   view.of(state) → the same shape from an answer of GET /v1/state, so that the two can be compared
---   v:run() → the fold itself

local fold = require("atoms.fold")
local json = require("support.json")

fold.null = json.null

local view = {}

local View = {}
View.__index = View

--- Kept aside, so that two views are the same when they show the same.
local runs = setmetatable({}, { __mode = "k" })

local function show(self)
  local run, canvases = runs[self], {}
  for id, canvas in pairs(run.canvases) do
    canvases[id] = { type = canvas.type, rev = canvas.rev, blocks = canvas.blocks }
  end
  self.tokens, self.canvases = run.tokens, canvases
  return self
end

local function over(run)
  local self = setmetatable({}, View)
  runs[self] = run
  return show(self)
end

function view.new()
  return over(fold.new())
end

function view.of(state)
  return over(fold.of(state))
end

function View:run()
  return runs[self]
end

function View:feed(frame)
  if frame.data then
    local ok, problem = runs[self]:feed(frame.json, frame.id)
    if not ok then
      error(("%s: %s in %s"):format(problem.code, problem.message, frame.raw), 2)
    end
    show(self)
  end
  return frame
end

function View:text(canvas_id, block_id)
  return runs[self]:text(canvas_id, block_id)
end

return view
