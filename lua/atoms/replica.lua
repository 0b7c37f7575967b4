--- A client that types before it is answered: the fold of its stream, and over it the splices that it has sent and not yet seen come back. What it shows
--- is both together; what it sends is right whatever others did meanwhile.
---
---   local mine = replica.new("origin-1")
---   mine:feed(envelope, id)                                  -- as fold's
---   local command = mine:splice(canvas, block, at, del, ins) -- {command_id, type, canvas_id, origin, n, base, args}: send it, in order
---   mine:text(canvas, block)                                 -- with its own pending edits
---   mine:drop(command_id)                                    -- it was refused: its effect goes, later ones are carried over
---
--- After a reset verdict the pending commands are still to be answered; the replica keeps them and applies them to the new state.

local fold = require("atoms.fold")
local text_op = require("atoms.text_op")

local replica = {}

--- @class atoms.Replica
--- @field run atoms.Fold what the gateway has said
--- @field pending {command_id: string, canvas: string, block: string, op: atoms.TextOp}[] in order
local Replica = {}
Replica.__index = Replica

--- @param origin string names this client session; unique per session
--- @return atoms.Replica
function replica.new(origin)
  return setmetatable({ origin = origin, n = 0, run = fold.new(), pending = {} }, Replica)
end

--- Carries an operation of others over the pending ones of its block, and those over it. Ours will be ordered later.
local function carry(self, canvas, block, theirs)
  for _, mine in ipairs(self.pending) do
    if mine.canvas == canvas and mine.block == block then
      local moved = text_op.transform(mine.op, theirs, true)
      theirs = text_op.transform(theirs, mine.op, false)
      mine.op = moved
    end
  end
end

local function take_own(self, cause)
  for i, mine in ipairs(self.pending) do
    if mine.command_id == cause then
      return table.remove(self.pending, i)
    end
  end
end

--- The splices of one event are one edit of one block.
local function splices_of(envelope)
  local splices, block = {}, nil
  for _, op in ipairs(envelope.data.ops or {}) do
    if op.op == "splice" then
      splices[#splices + 1], block = op, op.id
    end
  end
  return splices, block
end

function Replica:feed(envelope, id)
  local ok, problem = self.run:feed(envelope, id)
  if not ok or envelope.type ~= "state_patch" then
    return ok, problem
  end
  local own = envelope.cause and take_own(self, envelope.cause)
  local splices, block = splices_of(envelope)
  if not own and #splices > 0 then
    carry(self, envelope.canvas_id, block, text_op.join(splices))
  end
  return true
end

--- @return string? text as this client shows it; nil when the block is gone
function Replica:text(canvas, block)
  local text = self.run:text(canvas, block)
  for _, mine in ipairs(self.pending) do
    if text and mine.canvas == canvas and mine.block == block then
      text = text_op.apply(text, mine.op)
    end
  end
  return text
end

--- @return table command the members that say what and on which ground; the caller adds the scope
function Replica:splice(canvas, block, at, del, ins)
  self.n = self.n + 1
  local command_id = ("%s-%d"):format(self.origin, self.n)
  self.pending[#self.pending + 1] = { command_id = command_id, canvas = canvas, block = block, op = text_op.splice(at, del, ins) }
  return { command_id = command_id, type = "block.splice", canvas_id = canvas, origin = self.origin, n = self.n, base = self.run.cursor,
    args = { id = block, at = at, del = del, ins = ins } }
end

--- A refused command, or one whose effect others took away before it arrived.
function Replica:drop(command_id)
  local mine = take_own(self, command_id)
  return mine ~= nil
end

return replica
