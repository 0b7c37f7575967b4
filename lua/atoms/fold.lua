--- The fold of an event stream: what a client knows of a run, from its frames alone. Written from docs/contract.md, not from the gateway:
--- specs hold the two against each other. The same rules with examples: spec/vectors/README.md.
---
---   local run = fold.new()
---   run:feed(envelope, id)       -- decoded `data:` of one frame (nil: an id alone), its `id:` or nil; true, or nil and {code=, message=}
---   run.cursor                   -- of the last frame that carried one
---   run.tokens[key]              run.canvases[id] = {type=, rev=, manifest=, blocks={id → {kind, parent, pos, props, text, vis, orphan}}}
---   run.graph = {nodes, edges, state, detail, flow_id}      run.chat = {messages={id → {author, text, streaming, end, …}}, order={id, …}}
---   run:text(canvas, block)      run:children(canvas, parent_or_nil) → ids in order
---   run:state()                  -- tokens, canvases, graph and chat as GET /v1/state gives them
---   fold.of(state)               -- a run that begins with an answer of GET /v1/state; its stream goes on from run.cursor
---
--- JSON null must be decoded as `fold.null` (set fold.null to what the decoder uses); arrays as sequences. Unknown event types are counted
--- in run.unknown, never an error: a newer gateway may send them. An unknown operation is one: passing over it would leave the state wrong
--- without a sign. After an error the run is not to be trusted; a client then opens its stream anew without a cursor.

local text_op = require("atoms.text_op")

local fold = { null = setmetatable({}, { __name = "null" }) }

--- @class atoms.Problem
--- @field code string
--- @field message string

--- @class atoms.Fold
--- @field cursor string?
--- @field tokens table<string, any>
--- @field canvases table<string, table>
--- @field graph table
--- @field chat {messages: table<string, table>, order: string[]}
--- @field unknown integer
local Fold = {}
Fold.__index = Fold

local function empty(run)
  run.tokens, run.canvases = {}, {}
  run.graph = { nodes = {}, edges = {} }
  run.chat = { messages = {}, order = {} }
end

--- @return atoms.Fold
function fold.new()
  local run = setmetatable({ unknown = 0 }, Fold)
  empty(run)
  return run
end

--- JSON null and an absent member are one to a reader.
local function given(value)
  if value ~= fold.null then
    return value
  end
end

local function copy(value)
  if type(value) ~= "table" or value == fold.null then
    return value
  end
  local out = setmetatable({}, getmetatable(value))
  for key, item in pairs(value) do
    out[key] = copy(item)
  end
  return out
end

local function copy_but(source, hidden, other)
  local out = {}
  for key, value in pairs(source) do
    if key ~= hidden and key ~= other then
      out[key] = copy(given(value))
    end
  end
  return out
end

local function fail(code, format, ...)
  error({ code = code, message = format:format(...) }, 0)
end

local function need(blocks, op)
  return blocks[op.id] or fail("unknown_block", "%s of block %s, which is not there", op.op, op.id)
end

local function block_of(source)
  return { kind = source.kind, parent = given(source.parent), pos = source.pos, props = copy(source.props), text = source.text,
    vis = given(source.vis), orphan = source.orphan }
end

local function set_members(target, set, unset)
  for key, value in pairs(set or {}) do
    target[key] = copy(value)
  end
  for _, key in ipairs(unset or {}) do
    target[key] = nil
  end
end

-- ---- operations on blocks --------------------------------------------------------------------------------------------------------------

local block_ops = {}

function block_ops.insert(blocks, op)
  if blocks[op.id] then
    fail("block_exists", "insert of block %s, which is there", op.id)
  end
  blocks[op.id] = block_of(op)
end

function block_ops.update(blocks, op)
  local block = need(blocks, op)
  set_members(block.props, op.set, op.unset)
  block.text = op.text or block.text
  if op.vis ~= nil then
    block.vis = given(op.vis)
  end
end

function block_ops.move(blocks, op)
  local block = need(blocks, op)
  block.parent, block.pos, block.orphan = given(op.parent), op.pos, op.orphan
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

-- ---- operations on the graph -----------------------------------------------------------------------------------------------------------

local graph_ops = {
  ["node.set"] = function(graph, op) graph.nodes[op.id] = copy_but(op, "op", "id") end,
  ["edge.set"] = function(graph, op) graph.edges[op.id] = copy_but(op, "op", "id") end,
  ["edge.remove"] = function(graph, op) graph.edges[op.id] = nil end,
}

graph_ops["run.set_state"] = function(graph, op)
  graph.state, graph.detail = op.state, given(op.detail)
  graph.flow_id = given(op.flow_id) or graph.flow_id
end

graph_ops["node.remove"] = function(graph, op)
  graph.nodes[op.id] = nil
  for id, edge in pairs(graph.edges) do
    if edge.from == op.id or edge.to == op.id then
      graph.edges[id] = nil
    end
  end
end

-- ---- events ----------------------------------------------------------------------------------------------------------------------------

local events = {}

function events.resume(run, data)
  if data.status == "reset" or data.status == "fresh" then
    empty(run)
  end
end

--- Without `state` the canvas keeps the blocks that it has: its manifest has changed.
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
      fail("unknown_op", "operation %s", tostring(op.op))
    end
  end
end

function events.canvas_commit(run, data, envelope)
  local canvas = run.canvases[envelope.canvas_id] or fail("unknown_canvas", "a commit of canvas %s", tostring(envelope.canvas_id))
  canvas.rev = data.rev
end

--- A message that is not streamed is whole and done; in a checkpoint `end` tells.
function events.chat_message(run, data, envelope)
  local id, ending = data.message_id, given(data["end"])
  if ending == nil and not data.streaming then
    ending = "done"
  end
  if not run.chat.messages[id] then
    table.insert(run.chat.order, id)
  end
  run.chat.messages[id] = { author = copy(envelope.actor), ts = envelope.ts, text = data.text, streaming = data.streaming,
    reply_to = given(data.reply_to), vis = given(data.vis), ["end"] = ending }
end

--- A part of an unknown message belongs to one that had ended, and was forgotten, before this client came.
function events.chat_token(run, data)
  for _, part in ipairs(data.parts) do
    local message = run.chat.messages[part.message_id]
    if message and part["end"] then
      message["end"] = part["end"]
    elseif message then
      local points = utf8.len(message.text)
      if part.offset ~= points then
        fail("chat_gap", "message %s has %d code points, its next part is at %d", part.message_id, points, part.offset)
      end
      message.text = message.text .. part.text
    end
  end
end

for _, name in ipairs({ "log_line", "snapshot_created", "gesture", "presence", "lens_changed", "auth_expiring", "goaway" }) do
  events[name] = function() end
end

--- @param envelope table?
--- @param id string?
--- @return boolean? ok, atoms.Problem? problem
function Fold:feed(envelope, id)
  local apply = envelope and events[envelope.type]
  if envelope and not apply then
    self.unknown = self.unknown + 1
  elseif apply then
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
  table.sort(ids, function(a, b)
    if blocks[a].pos ~= blocks[b].pos then
      return blocks[a].pos < blocks[b].pos
    end
    return a < b -- orphans stand at the root with the labels of their own parents' children
  end)
  return ids
end

-- ---- GET /v1/state ---------------------------------------------------------------------------------------------------------------------

local function or_null(value)
  if value == nil then
    return fold.null
  end
  return value
end

local function each(source, make)
  local out = {}
  for key, value in pairs(source) do
    out[key] = make(value)
  end
  return out
end

local function block_state(block)
  local out = copy(block)
  out.parent = or_null(block.parent)
  return out
end

local function message_state(message)
  local out = copy(message)
  out["end"] = or_null(message["end"])
  return out
end

--- @return {tokens: table, canvases: table, graph: table, chat: table}
function Fold:state()
  local graph = copy(self.graph)
  graph.state = or_null(graph.state)
  return {
    tokens = copy(self.tokens),
    canvases = each(self.canvases, function(canvas) return { type = canvas.type, blocks = each(canvas.blocks, block_state) } end),
    graph = graph,
    chat = { messages = each(self.chat.messages, message_state), order = copy(self.chat.order) },
  }
end

--- @param state table an answer of GET /v1/state
--- @return atoms.Fold
function fold.of(state)
  local run = fold.new()
  run.cursor, run.tokens = state.cursor, copy(state.tokens)
  run.canvases = each(state.canvases, function(canvas) return { type = canvas.type, blocks = each(canvas.blocks, block_of) } end)
  for name, value in pairs(state.graph or {}) do
    run.graph[name] = copy(given(value))
  end
  if state.chat then
    run.chat.order = copy(state.chat.order)
    run.chat.messages = each(state.chat.messages, copy_but)
  end
  return run
end

return fold
