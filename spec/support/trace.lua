--- Editing histories of two authors who see each other late, in the format of github.com/josephg/editing-traces (concurrent).
---
---   trace.make(seed, count) → {numAgents=, startContent=, endContent=, txns=}, ready for json.encode
---   Each author types on its own view; `parents` say what it had seen. endContent is what the order of `txns` makes of it.

local random = require("property.random")
local replica = require("atoms.replica")
local sequencer = require("support.sequencer")

local trace = {}

local WORDS = { "the ", "and ", "é", "日本", "😀", "a", "\n", "friends ", "for", "ever" }

local function ready(text)
  local blocks = { b1 = { kind = "text", pos = "V", props = {}, text = text } }
  return { type = "CANVAS_READY", canvas_id = "c1", data = { canvas_type = "planning", state = { blocks = blocks } } }
end

local function patch(event)
  local ops = {}
  for i, splice in ipairs(event.splices) do
    ops[i] = { op = "splice", id = "b1", at = splice.at, del = splice.del, ins = splice.ins }
  end
  return { type = "state_patch", canvas_id = "c1", cause = event.cause, data = { ops = ops } }
end

--- One splice of this author on its view; typing goes on where it was.
local function type_something(author, dice)
  local text = author.mine:text("c1", "b1")
  local length = utf8.len(text)
  local at = dice:chance(70) and math.min(author.caret or length, length) or dice:int(0, length)
  local del = dice:chance(25) and dice:int(0, math.min(4, length - at)) or 0
  local ins = (del == 0 or dice:chance(30)) and dice:pick(WORDS) or ""
  author.caret = at + utf8.len(ins)
  return author.mine:splice("c1", "b1", at, del, ins)
end

local function see_others(author, server, upto)
  for number = author.seen + 1, upto do
    local event = server.events[number]
    if #event.splices > 0 then
      assert(author.mine:feed(patch(event), number))
    else
      author.mine:answered(event.cause, 0)
    end
  end
  author.seen = upto
end

--- The last transaction of its own, and the last one that it has seen of the other; those before follow from them.
local function parents_of(author, other_last)
  local parents = {}
  for _, number in ipairs({ author.last or -1, other_last or -1 }) do
    if number >= 0 then
      parents[#parents + 1] = number
    end
  end
  return parents
end

function trace.make(seed, count)
  local dice, start = random.new(seed), "Once upon a time 😀"
  local server, authors, txns = sequencer.new({ b1 = start }), {}, {}
  for i = 1, 2 do
    authors[i] = { mine = replica.new("author" .. i), seen = 0, number = i - 1 }
    authors[i].mine:feed(ready(start), 0)
  end
  for number = 0, count - 1 do
    local author = dice:pick(authors)
    if dice:chance(35) then
      see_others(author, server, dice:int(author.seen, #server.events))
    end
    local seen_of_other
    for event = author.seen, 1, -1 do
      if server.events[event].origin ~= author.mine.origin then
        seen_of_other = event - 1 -- events count from 1, transactions from 0
        break
      end
    end
    local command = type_something(author, dice)
    txns[#txns + 1] = { agent = author.number, parents = parents_of(author, seen_of_other), numChildren = 0,
      patches = { { command.args.at, command.args.del, command.args.ins } } }
    author.last = number
    server:take(command)
  end
  return { kind = "concurrent", numAgents = 2, startContent = start, endContent = server.texts.b1, txns = txns }
end

return trace
