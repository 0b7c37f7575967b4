--- The fold of an event stream: what a client knows of a run, from its frames alone. Written from docs/contract.md, not from the gateway:
--- specs hold the two against each other.
---
---   local run = fold.new()
---   run:feed(envelope, id)       -- decoded `data:` of one frame, its `id:` or nil; returns true, or nil and {code=, message=}
---   run.cursor                   -- of the last frame that carried one
---   run.tokens[key]              run.canvases[id] = {type=, rev=, blocks={id → {kind, parent, pos, props, text, vis}}}
---   run.graph, run.chat          run:text(canvas, block)     run:children(canvas, parent_or_nil) → ids in order
---
--- JSON null must be decoded as `fold.null` (or set fold.null to what the decoder uses); arrays as sequences. Unknown events are counted
--- in run.unknown, never an error: a newer gateway may send them.

local text_op = require("atoms.text_op")

local fold = { null = setmetatable({}, { __name = "null" }) }

--- @class atoms.Fold
--- @field cursor string?
--- @field tokens table<string, any>
--- @field canvases table<string, table>
--- @field unknown integer
local Fold = {}
Fold.__index = Fold

local function empty(run)
  run.tokens, run.canvases = {}, {}
  run.graph = { nodes = {}, edges = {}, state = nil }
  run.chat = {}
end

--- @return atoms.Fold
function fold.new()
  local run = setmetatable({ unknown = 0 }, Fold)
  empty(run)
  return run
end

local function is_null(value)
  return value == fold.null
end

local function copy(value)
  if type(value) ~= "table" or is_null(value) then
    return value
  end
  local out = setmetatable({}, getmetatable(value))
  for key, item in pairs(value) do
    out[key] = copy(item)
  end
  return out
end

local function fail(code, format, ...)
  error({ code = code, message = format:format(...) }, 0)
end

local function need(blocks, op)
  return blocks[op.id] or fail("unknown_block", "%s of block %s, which is not there", op.op, op.id)
end

local function parent_of(op)
  if op.parent == nil or is_null(op.parent) then
    return nil
  end
  return op.parent
end

local function block_of(source)
  local vis = source.vis
  if is_null(vis) then
    vis = nil
  end
  return { kind = source.kind, parent = parent_of(source), pos = source.pos, props = copy(source.props), text = source.text, vis = vis,
    orphan = source.orphan }
end

local function set_members(target, set, unset)
  for key, value in pairs(set or {}) do
    target[key] = copy(value)
  end
  for _, key in ipairs(unset or {}) do
    target[key] = nil
  end
end

-- ---- operations on blocks ------------------------------------------------------------------------------------------------------------------

local block_ops = {}

function block_ops.insert(blocks, op)
  blocks[op.id] = block_of(op)
end

function block_ops.update(blocks, op)
  local block = need(blocks, op)
  set_members(block.props, op.set, op.unset)
  if is_null(op.vis) then
    block.vis = nil
  elseif op.vis ~= nil then
    block.vis = op.vis
  end
end

function block_ops.move(blocks, op)
  local block = need(blocks, op)
  block.parent, block.pos, block.orphan = parent_of(op), op.pos, op.orphan
end

function block_ops.relabel(blocks, op)
  for id, pos in pairs(op.pos) do
    if blocks[id] then
      blocks[id].pos = pos
    end
  end
end

local function children_by_parent(blocks)
  local children = {}
  for id, block in pairs(blocks) do
    if block.parent then
      children[block.parent] = children[block.parent] or {}
      table.insert(children[block.parent], id)
    end
  end
  return children
end

--- With everything below it.
function block_ops.remove(blocks, op)
  need(blocks, op)
  local children, doomed = children_by_parent(blocks), { op.id }
  while #doomed > 0 do
    local id = table.remove(doomed)
    blocks[id] = nil
    for _, child in ipairs(children[id] or {}) do
      doomed[#doomed + 1] = child
    end
  end
end

function block_ops.splice(blocks, op)
  local block = need(blocks, op)
  local text, problem = text_op.apply_splice(block.text, op.at, op.del, op.ins)
  if not text then
    fail("bad_splice", "%s", problem)
  end
  block.text = text
end

-- ---- operations on the graph ----------------------------------------------------------------------------------------------------------------

local function member_copy(op)
  local out = {}
  for key, value in pairs(op) do
    if key ~= "op" and key ~= "id" then
      out[key] = copy(value)
    end
  end
  return out
end

local graph_ops = {
  ["node.set"] = function(graph, op) graph.nodes[op.id] = member_copy(op) end,
  ["edge.set"] = function(graph, op) graph.edges[op.id] = member_copy(op) end,
  ["edge.remove"] = function(graph, op) graph.edges[op.id] = nil end,
  ["run.set_state"] = function(graph, op) graph.state = member_copy(op) end,
}

graph_ops["node.remove"] = function(graph, op)
  graph.nodes[op.id] = nil
  for id, edge in pairs(graph.edges) do
    if edge.from == op.id or edge.to == op.id then
      graph.edges[id] = nil
    end
  end
end

-- ---- events --------------------------------------------------------------------------------------------------------------------------------

local events = {}

function events.resume(run, data)
  if data.status == "reset" or data.status == "fresh" then
    empty(run)
  end
end

function events.CANVAS_READY(run, data, envelope)
  local known = run.canvases[envelope.canvas_id] or { blocks = {} }
  local canvas = { type = data.canvas_type, rev = data.rev or known.rev, manifest = data.manifest, blocks = known.blocks }
  if data.state then
    canvas.blocks = {}
    for id, block in pairs(data.state.blocks) do
      canvas.blocks[id] = block_of(block)
    end
  end
  run.canvases[envelope.canvas_id] = canvas
  set_members(run.tokens, data.tokens)
end

function events.token_patch(run, data)
  set_members(run.tokens, data.set, data.unset)
end

function events.state_patch(run, data, envelope)
  local canvas = run.canvases[envelope.canvas_id]
  for _, op in ipairs(data.ops) do
    if block_ops[op.op] then
      block_ops[op.op]((canvas or fail("unknown_canvas", "an operation on canvas %s", tostring(envelope.canvas_id))).blocks, op)
    elseif graph_ops[op.op] then
      graph_ops[op.op](run.graph, op)
    else
      fail("unknown_op", "operation %s", tostring(op.op)) -- passing over it would leave the state wrong without a sign
    end
  end
end

function events.canvas_commit(run, data, envelope)
  local canvas = run.canvases[envelope.canvas_id] or fail("unknown_canvas", "a commit of canvas %s", tostring(envelope.canvas_id))
  canvas.rev, canvas.state_hash = data.rev, data.state_hash
end

function events.chat_message(run, data, envelope)
  local message = member_copy(data)
  message.author = copy(envelope.actor)
  run.chat[data.message_id] = message
end

local function chat_part(run, part)
  local message = run.chat[part.message_id]
  if not message then
    return -- it began before this client came, and ended before the checkpoint's window
  end
  message.text = message.text or ""
  if part.offset and part.offset ~= utf8.len(message.text) then
    fail("chat_gap", "message %s has %d code points, the part is at %d", part.message_id, utf8.len(message.text), part.offset)
  end
  message.text = message.text .. (part.text or "")
end

function events.chat_token(run, data)
  for _, part in ipairs(data.parts or {}) do
    chat_part(run, part)
  end
  if data["end"] and run.chat[data.message_id] then
    run.chat[data.message_id]["end"] = data["end"]
  end
end

for _, name in ipairs({ "log_line", "snapshot_created", "gesture", "presence", "lens_changed", "auth_expiring", "goaway" }) do
  events[name] = function() end
end

--- @param envelope table
--- @param id string?
--- @return boolean? ok, {code: string, message: string}? problem
function Fold:feed(envelope, id)
  local apply = events[envelope.type]
  if not apply then
    self.unknown = self.unknown + 1
  else
    local ok, problem = pcall(apply, self, envelope.data, envelope)
    if not ok then
      return nil, type(problem) == "table" and problem or { code = "fold_failed", message = tostring(problem) }
    end
  end
  self.cursor = id or self.cursor
  return true
end

--- @return string?
function Fold:text(canvas_id, block_id)
  local canvas = self.canvases[canvas_id]
  local block = canvas and canvas.blocks[block_id]
  return block and block.text
end

--- Ids of the blocks below `parent` (nil: at the root), in their order.
--- @return string[]
function Fold:children(canvas_id, parent)
  local ids, blocks = {}, self.canvases[canvas_id].blocks
  for id, block in pairs(blocks) do
    if block.parent == parent then
      ids[#ids + 1] = id
    end
  end
  table.sort(ids, function(a, b) return blocks[a].pos < blocks[b].pos end)
  return ids
end

return fold
