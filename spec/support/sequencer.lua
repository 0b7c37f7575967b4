--- The server's half of texts, in small: puts splices of several authors in one order and carries each over what its author had not seen.
--- For making vectors and traces; the gateway is never compared with this alone.
---
---   local server = sequencer.new({ b1 = "hello" })
---   local event = server:take(command)     -- of a replica: {n= its number, cause=, block=, splices=}; no splices: it came to nothing
---   server:remove(block)                      -- by somebody else; an event too
---   server.texts[block]    server.events[i]   -- events count from 1; a command's base is the number of the last event seen, 0 for none

local text_op = require("atoms.text_op")

local sequencer = {}

local Sequencer = {}
Sequencer.__index = Sequencer

function sequencer.new(texts)
  local own = {}
  for block, text in pairs(texts) do
    own[block] = text
  end
  return setmetatable({ texts = own, events = {}, origins = {}, n = {} }, Sequencer)
end

--- What others did to this block and the origin had not seen up to `base`, carried over the origin's own edits so far.
local function unseen_of(self, origin, block, base)
  local key = origin .. " " .. block
  local known = self.origins[key] or { base = 0, synced = 0, list = {} }
  self.origins[key] = known
  known.base = math.max(known.base, base)
  for number = known.synced + 1, #self.events do
    local event = self.events[number]
    if event.op and event.block == block and event.origin ~= origin then
      table.insert(known.list, { number = number, op = event.op })
    end
  end
  known.synced = #self.events
  while known.list[1] and known.list[1].number <= known.base do
    table.remove(known.list, 1)
  end
  return known.list
end

local function add(self, event)
  event.n = #self.events + 1
  self.events[event.n] = event
  return event
end

function Sequencer:take(command)
  local args, origin = command.args, command.origin
  assert(command.n == (self.n[origin] or 0) + 1, "out of order")
  assert(self.texts[args.id], "no such block")
  local op = text_op.splice(args.at, args.del, args.ins)
  for _, theirs in ipairs(unseen_of(self, origin, args.id, command.base or 0)) do
    op, theirs.op = text_op.transform(op, theirs.op, true), text_op.transform(theirs.op, op, false)
  end
  self.n[origin] = command.n
  self.texts[args.id] = assert(text_op.apply(self.texts[args.id], op))
  return add(self, { cause = command.command_id, origin = origin, block = args.id, op = op, splices = text_op.splices(op) })
end

function Sequencer:remove(block)
  self.texts[block] = nil
  return add(self, { block = block, is_remove = true })
end

return sequencer
