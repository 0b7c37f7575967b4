--- What a client shows: the fold of an event stream, written from the contract alone.
---
---   view.new() → v     v:feed(frame)     v.tokens = {key=value}        v.canvases[id] = {type=, rev=, blocks={id={kind, parent, pos, …}}}
---   v:text(canvas_id, block_id)
---   view.of(state) → the same shape from an answer of GET /v1/state, so that the two can be compared
---   A `reset` or `fresh` verdict empties the view: a checkpoint follows.

local json = require("support.json")

local view = {}

local View = {}
View.__index = View

function view.new()
  return setmetatable({ tokens = {}, canvases = {} }, View)
end

local function copy(value)
  if type(value) ~= "table" or value == json.null then
    return value
  end
  local out = {}
  for name, item in pairs(value) do
    out[name] = copy(item)
  end
  return out
end

local function block_of(source)
  return { kind = source.kind, parent = source.parent, pos = source.pos, props = copy(source.props), text = source.text, vis = source.vis }
end

local function blocks_of(source)
  local blocks = {}
  for id, block in pairs(source) do
    blocks[id] = block_of(block)
  end
  return blocks
end

--- In code points; the positions must lie inside the text.
local function splice(text, at, del, ins)
  local from = assert(utf8.offset(text, at + 1), "a splice begins past the end")
  local to = assert(utf8.offset(text, at + del + 1), "a splice ends past the end")
  return text:sub(1, from - 1) .. ins .. text:sub(to)
end

local ops = {}

function ops.insert(blocks, op)
  blocks[op.id] = block_of(op)
end

function ops.update(blocks, op)
  local block = assert(blocks[op.id], "an update of no block")
  for name, value in pairs(op.set) do
    block.props[name] = value
  end
  for _, name in ipairs(op.unset) do
    block.props[name] = nil
  end
  if op.vis ~= nil then
    block.vis = op.vis ~= json.null and op.vis or nil
  end
end

function ops.move(blocks, op)
  local block = assert(blocks[op.id], "a move of no block")
  block.parent, block.pos = op.parent, op.pos
end

function ops.relabel(blocks, op)
  for id, pos in pairs(op.pos) do
    blocks[id].pos = pos
  end
end

--- With everything below it.
function ops.remove(blocks, op)
  blocks[op.id] = nil
  for id, block in pairs(copy(blocks)) do
    if block.parent == op.id then
      ops.remove(blocks, { id = id })
    end
  end
end

function ops.splice(blocks, op)
  local block = assert(blocks[op.id], "a splice of no block")
  block.text = splice(block.text, op.at, op.del, op.ins)
end

local events = {}

function events.resume(self, data)
  if data.status == "reset" or data.status == "fresh" then
    self.tokens, self.canvases = {}, {}
  end
end

function events.CANVAS_READY(self, data, envelope)
  self.canvases[envelope.canvas_id] = { type = data.canvas_type, rev = data.rev, blocks = blocks_of(data.state.blocks) }
  for key, value in pairs(data.tokens) do
    self.tokens[key] = value
  end
end

function events.token_patch(self, data)
  for key, value in pairs(data.set) do
    self.tokens[key] = value
  end
  for _, key in ipairs(data.unset) do
    self.tokens[key] = nil
  end
end

function events.state_patch(self, data, envelope)
  for _, op in ipairs(data.ops) do
    local apply = ops[op.op] or error("unknown op " .. tostring(op.op))
    apply(self.canvases[envelope.canvas_id].blocks, op)
  end
end

function events.canvas_commit(self, data, envelope)
  self.canvases[envelope.canvas_id].rev = data.rev
end

function View:feed(frame)
  local apply = frame.data and events[frame.event]
  if apply then
    apply(self, frame.json.data, frame.json)
  end
  return frame
end

function View:text(canvas_id, block_id)
  local canvas = self.canvases[canvas_id]
  return canvas and canvas.blocks[block_id] and canvas.blocks[block_id].text
end

function view.of(state)
  local made = view.new()
  made.tokens = copy(state.tokens)
  for id, canvas in pairs(state.canvases) do
    made.canvases[id] = { type = canvas.type, rev = canvas.rev, blocks = blocks_of(canvas.blocks) }
  end
  return made
end

return view
