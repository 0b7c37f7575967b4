--- A client that types before it is answered: the fold of its stream, and over it the splices that it has sent and not seen come back yet.
--- What it shows is both together; what it sends is right whatever others did meanwhile. Vectors: spec/vectors/replica.json.
---
---   local mine = replica.new("origin-1")
---   mine:feed(envelope, id)                                  -- as fold's, with one more problem: see below
---   local command = mine:splice(canvas, block, at, del, ins) -- {command_id, type, canvas_id, origin, n, base, args}: send it, in order
---   mine:text(canvas, block)                                 -- with its own pending edits
---   mine:answered(command_id, events)                        -- committed; `events` as in the answer
---   mine:refused(command_id)                                 -- → commands to send instead of it and the later ones
---   mine:is_settled()                                        -- nothing of its own is under way
---
--- The problem beyond the fold's: `own_edit_differs`, when an edit of its own comes back other than this client carried it, so that what it
--- showed was wrong. The fold is right all the same. A checkpoint holds all that was answered before it, so it ends what is pending: have
--- every command answered (they are idempotent: send them again) before opening a stream without a cursor, and again after a reset.

local fold = require("atoms.fold")
local text_op = require("atoms.text_op")

local replica = {}

--- @class atoms.Pending
--- @field command_id string
--- @field n integer
--- @field canvas string
--- @field block string
--- @field op atoms.TextOp on the text as the gateway has told it, after the pending ones before
--- @field is_void boolean? committed, and came to nothing: no event will tell
--- @field is_lost boolean? its block was removed before it: it will be refused, also when the block comes back

--- @class atoms.Replica
--- @field run atoms.Fold what the gateway has said
--- @field pending atoms.Pending[] in the order of their `n`
local Replica = {}
Replica.__index = Replica

--- @param origin string names this client session; never used before
--- @return atoms.Replica
function replica.new(origin)
  return setmetatable({ origin = origin, n = 0, made = 0, run = fold.new(), pending = {} }, Replica)
end

local function is_of(mine, canvas, block)
  return mine.canvas == canvas and mine.block == block and not mine.is_lost
end

--- Carries an operation of others over the pending ones of its block, and those over it. Ours will be ordered later.
local function carry(self, canvas, block, theirs)
  for _, mine in ipairs(self.pending) do
    if is_of(mine, canvas, block) then
      mine.op, theirs = text_op.transform(mine.op, theirs, true), text_op.transform(theirs, mine.op, false)
    end
  end
end

local function place_of(self, command_id)
  for i, mine in ipairs(self.pending) do
    if mine.command_id == command_id then
      return i
    end
  end
end

--- The splices of one event are one edit of one block.
local function splices_of(envelope)
  local splices, block = {}, nil
  for _, op in ipairs(envelope.data.ops) do
    if op.op == "splice" then
      splices[#splices + 1], block = op, op.id
    end
  end
  return splices, block
end

--- Events keep the order of `n`: whatever is pending before an edit that came back has come to nothing.
local function take_until(self, place)
  local mine = self.pending[place]
  table.move(self.pending, place + 1, #self.pending + place, 1)
  return mine
end

--- A void one must be held until the others' edits that emptied it have arrived, since later ones stand on it.
local function forget_voids(self)
  for i = #self.pending, 1, -1 do
    if self.pending[i].is_void and text_op.is_empty(self.pending[i].op) then
      table.remove(self.pending, i)
    end
  end
end

local function differs(mine, op)
  return nil, { code = "own_edit_differs", message = ("%s came back as %d,%d %q, and was %d,%d %q here"):format(
    mine.command_id, op.at, #op.spans, op.ins, mine.op.at, #mine.op.spans, mine.op.ins) }
end

local function mark_lost(self)
  for _, mine in ipairs(self.pending) do
    mine.is_lost = mine.is_lost or not self.run:text(mine.canvas, mine.block)
  end
end

local function feed_patch(self, envelope)
  if #self.pending > 0 then
    mark_lost(self)
  end
  local splices, block = splices_of(envelope)
  if #splices == 0 then
    return true
  end
  local op, place = text_op.join(splices), envelope.cause and place_of(self, envelope.cause)
  local mine = place and take_until(self, place)
  if mine and not text_op.equals(mine.op, op) then
    return differs(mine, op)
  elseif not mine then
    carry(self, envelope.canvas_id, block, op)
    forget_voids(self)
  end
  return true
end

--- @param envelope table?
--- @param id string?
--- @return boolean? ok, atoms.Problem? problem
function Replica:feed(envelope, id)
  local ok, problem = self.run:feed(envelope, id)
  if not ok or not envelope then
    return ok, problem
  elseif envelope.type == "state_patch" then
    return feed_patch(self, envelope)
  elseif envelope.type == "resume" and (envelope.data.status == "fresh" or envelope.data.status == "reset") then
    self.pending = {}
  end
  return true
end

--- @return string? text as this client shows it; nil when the block is gone
function Replica:text(canvas, block)
  local text = self.run:text(canvas, block)
  for _, mine in ipairs(self.pending) do
    if text and is_of(mine, canvas, block) then
      text = text_op.apply(text, mine.op)
    end
  end
  return text
end

--- @return table command the members that say what and on which ground; the caller adds the scope
function Replica:splice(canvas, block, at, del, ins)
  self.n, self.made = self.n + 1, self.made + 1
  local command_id = ("%s-%d"):format(self.origin, self.made)
  table.insert(self.pending,
    { command_id = command_id, n = self.n, canvas = canvas, block = block, op = text_op.splice(at, del, ins) })
  return { command_id = command_id, type = "block.splice", canvas_id = canvas, origin = self.origin, n = self.n, base = self.run.cursor,
    args = { id = block, at = at, del = del, ins = ins } }
end

function Replica:answered(command_id, events)
  local place = place_of(self, command_id)
  if place and events == 0 then
    self.pending[place].is_void = true
    forget_voids(self)
  end
end

--- One splice command for each piece of an operation; its pieces are pending as long as they are not seen.
local function send_again(self, mine, commands)
  for _, piece in ipairs(text_op.splices(mine.op)) do
    commands[#commands + 1] = self:splice(mine.canvas, mine.block, piece.at, piece.del, piece.ins)
  end
end

--- What was written on a text falls with the edit that it was written over.
local function falls_with(mine, refused)
  return mine == refused or (not refused.is_lost and mine.canvas == refused.canvas and mine.block == refused.block)
end

--- A refused edit uses up no `n`, so those after it are refused as out_of_order; send what this returns instead. Of the later ones those
--- of the same text are given up with it. `is_worth_another_try` (base_too_old, base_unknown): as they stand now, they are not.
--- @param command_id string
--- @param is_worth_another_try boolean?
--- @return table[] commands, string[] given_up ids of commands whose effect is gone
function Replica:refused(command_id, is_worth_another_try)
  local place, commands, given_up = place_of(self, command_id), {}, {}
  if not place then
    return commands, given_up
  end
  local refused, later = self.pending[place], table.move(self.pending, place, #self.pending, 1, {})
  for i = #self.pending, place, -1 do
    self.pending[i] = nil
  end
  self.n = refused.n - 1
  for _, mine in ipairs(later) do
    if mine.is_lost or (not is_worth_another_try and falls_with(mine, refused)) then
      given_up[#given_up + 1] = mine.command_id
    else
      send_again(self, mine, commands)
    end
  end
  return commands, given_up
end

--- @return boolean
function Replica:is_settled()
  return #self.pending == 0
end

return replica
