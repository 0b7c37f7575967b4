--- Prints spec/vectors/replica.json: people who type at the same time, step by step. From the root of the tree:
---     lua5.4 spec/vectors/make_replica.lua > spec/vectors/replica.json
---
--- What is done stands below, and at random; what follows from it is told by lua/atoms/replica.lua and spec/support/sequencer.lua. The core
--- has to order and carry the same edits alike by its own code, a client to show the same texts.

package.path = "lua/?.lua;spec/?.lua;spec/?/init.lua;" .. package.path
local json = require("support.json")
local replica = require("atoms.replica")
local sequencer = require("support.sequencer")

local RANDOM_COUNT = 40
local LETTERS = { "a", "b", "c", "é", "日", "😀", " " }

-- ---- playing --------------------------------------------------------------------------------------------------------------------------

local Play = {}
Play.__index = Play

local function envelope_of(event)
  local ops = { { op = "remove", id = event.block } }
  for i, splice in ipairs(event.splices or {}) do
    ops[i] = { op = "splice", id = event.block, at = splice.at, del = splice.del, ins = splice.ins }
  end
  return { type = "state_patch", canvas_id = "c1", cause = event.cause, data = { ops = ops } }
end

local function mounted(texts)
  local blocks = {}
  for id, text in pairs(texts) do
    blocks[id] = { kind = "text", pos = "V", props = {}, text = text }
  end
  return { type = "CANVAS_READY", canvas_id = "c1", data = { canvas_type = "planning", state = { blocks = blocks } } }
end

local function play(name, texts)
  return setmetatable({ name = name, texts = texts, server = sequencer.new(texts), people = {}, steps = {} }, Play)
end

function Play:person(name)
  if not self.people[name] then
    local mine = replica.new(name)
    mine:feed(mounted(self.texts), 0)
    self.people[name] = { mine = mine, sent = {}, seen = 0 }
  end
  return self.people[name]
end

local function shown(self, name)
  local texts = json.object()
  for block in pairs(self.texts) do
    texts[block] = self:person(name).mine:text("c1", block) or json.null
  end
  return texts
end

local function step(self, what)
  self.steps[#self.steps + 1] = what
end

local function told(command)
  return { command_id = command.command_id, n = command.n, base = command.base, block = command.args.id,
    splice = { command.args.at, command.args.del, command.args.ins } }
end

function Play:type(by, block, at, del, ins)
  local person = self:person(by)
  local command = person.mine:splice("c1", block, at, del, ins)
  table.insert(person.sent, command)
  step(self, { ["do"] = "type", by = by, sends = told(command), shows = shown(self, by) })
end

--- The gateway takes the next command of this author.
function Play:take(from)
  local person = self:person(from)
  local command = table.remove(person.sent, 1)
  local event, splices = self.server:take(command), json.array()
  for i, splice in ipairs(event.splices) do
    splices[i] = { splice.at, splice.del, splice.ins }
  end
  person.mine:answered(command.command_id, math.min(#splices, 1))
  step(self, { ["do"] = "take", from = from, command_id = command.command_id, event = event.n, splices = splices })
end

--- The gateway refuses the next command, because the block is gone.
function Play:refuse(from)
  local person = self:person(from)
  local command = person.sent[1]
  local again, given_up = person.mine:refused(command.command_id)
  person.sent = again
  local list = json.array()
  for i, other in ipairs(again) do
    list[i] = told(other)
  end
  step(self, { ["do"] = "refuse", from = from, command_id = command.command_id, code = "block_removed", sends = list,
    given_up = json.array(given_up), shows = shown(self, from) })
end

function Play:remove(block)
  step(self, { ["do"] = "remove", block = block, event = self.server:remove(block).n })
end

--- Up to and with this event (nil: the last).
function Play:feed(to, upto)
  local person = self:person(to)
  upto = upto or #self.server.events
  for number = person.seen + 1, upto do
    local event = self.server.events[number]
    if event.is_remove or #event.splices > 0 then
      assert(person.mine:feed(envelope_of(event), number))
    end
  end
  person.seen = upto
  step(self, { ["do"] = "feed", to = to, upto = upto, shows = shown(self, to) })
end

function Play:finish()
  for name, person in pairs(self.people) do
    assert(#person.sent == 0 and person.mine:is_settled(), name .. " has not settled in: " .. self.name)
    assert(json.encode(shown(self, name)) == json.encode(shown(self, next(self.people))), self.name)
  end
  local ends = json.object()
  for block in pairs(self.texts) do
    ends[block] = self.server.texts[block] or json.null
  end
  return { name = self.name, texts = json.object(self.texts), steps = json.array(self.steps), ends = ends }
end

-- ---- what is done ---------------------------------------------------------------------------------------------------------------------

local scenes = {}

local function scene(name, texts, act)
  local p = play(name, texts)
  act(p)
  scenes[#scenes + 1] = p:finish()
end

scene("many keystrokes in flight", { b1 = "" }, function(p)
  for i, letter in ipairs({ "H", "e", "y" }) do
    p:type("ann", "b1", i - 1, 0, letter)
  end
  p:take("ann") p:take("ann")
  p:feed("ann", 1)
  p:type("ann", "b1", 3, 0, "!")
  p:take("ann") p:take("ann")
  p:feed("ann")
end)

scene("two at one place: the later-ordered stands first", { b1 = "ab" }, function(p)
  p:type("ann", "b1", 1, 0, "X")
  p:type("bob", "b1", 1, 0, "Y")
  p:take("ann") p:take("bob")
  p:feed("ann") p:feed("bob")
end)

scene("bursts at one place are not interleaved", { b1 = "()" }, function(p)
  for i = 1, 3 do
    p:type("ann", "b1", i, 0, "a")
    p:type("bob", "b1", i, 0, "b")
  end
  for _ = 1, 3 do
    p:take("ann") p:take("bob")
  end
  p:feed("ann") p:feed("bob")
end)

scene("typing inside what another removes", { b1 = "keep remove keep" }, function(p)
  p:type("ann", "b1", 8, 0, "XY")
  p:type("bob", "b1", 5, 7, "")
  p:type("ann", "b1", 10, 0, "Z")
  p:take("bob") p:take("ann") p:take("ann")
  p:feed("bob") p:feed("ann")
end)

scene("both remove the same: the second comes to nothing, and no event tells it", { b1 = "abcdef" }, function(p)
  p:type("ann", "b1", 1, 4, "")
  p:type("bob", "b1", 2, 2, "")
  p:type("bob", "b1", 2, 0, "!")
  p:take("ann") p:take("bob") p:take("bob")
  p:feed("bob") p:feed("ann")
end)

scene("a base far behind, but all earlier ones of its own origin", { b1 = "0" }, function(p)
  p:type("ann", "b1", 1, 0, "a")
  p:take("ann")
  for i = 1, 3 do
    p:feed("bob")
    p:type("bob", "b1", 0, 0, tostring(i))
    p:take("bob")
  end
  p:type("ann", "b1", 2, 0, "b")
  p:type("ann", "b1", 0, 1, "_")
  p:take("ann") p:take("ann")
  p:feed("ann") p:feed("bob")
end)

scene("seeing some, not all", { b1 = "line" }, function(p)
  p:type("bob", "b1", 4, 0, "1") p:type("bob", "b1", 5, 0, "2") p:type("bob", "b1", 6, 0, "3")
  p:take("bob") p:take("bob") p:take("bob")
  p:feed("ann", 2)
  p:type("ann", "b1", 6, 0, "A")
  p:take("ann")
  p:feed("bob") p:feed("ann")
end)

scene("code points, not units", { b1 = "😀日é" }, function(p)
  p:type("ann", "b1", 1, 1, "本")
  p:type("bob", "b1", 3, 0, "👩‍👧")
  p:take("bob") p:take("ann")
  p:feed("ann") p:feed("bob")
end)

scene("a block goes: edits of it are refused, others are sent again with the next n", { b1 = "one", b2 = "two" }, function(p)
  p:type("ann", "b2", 3, 0, "!")
  p:type("ann", "b1", 3, 0, "!")
  p:type("ann", "b2", 4, 0, "?")
  p:type("ann", "b1", 4, 0, "?")
  p:type("bob", "b2", 0, 1, "T")
  p:take("bob") p:take("ann")
  p:remove("b1")
  p:feed("ann")
  p:refuse("ann")
  p:take("ann")
  p:feed("ann") p:feed("bob")
end)

scene("an edit split by another's insert is sent again in pieces", { b1 = "gone", b2 = "abcdef" }, function(p)
  p:type("ann", "b1", 0, 1, "")
  p:type("ann", "b2", 1, 4, "-")
  p:type("bob", "b2", 3, 0, "XY")
  p:take("bob")
  p:remove("b1")
  p:feed("ann")
  p:refuse("ann")
  p:take("ann") p:take("ann")
  p:feed("ann") p:feed("bob")
end)

-- ---- at random ------------------------------------------------------------------------------------------------------------------------

math.randomseed(20240501, 8)

local function random_type(p, by)
  local text = p:person(by).mine:text("c1", "b1")
  local length = utf8.len(text)
  local at = math.random(0, length)
  local del = math.random(2) == 1 and math.random(0, math.min(3, length - at)) or 0
  local ins = math.random(3) > 1 and LETTERS[math.random(#LETTERS)]:rep(math.random(2)) or ""
  if del > 0 or ins ~= "" then
    p:type(by, "b1", at, del, ins)
  end
end

local function random_step(p, names)
  local by = names[math.random(#names)]
  local person = p:person(by)
  local dice = math.random(10)
  if dice <= 4 then
    random_type(p, by)
  elseif dice <= 7 and #person.sent > 0 then
    p:take(by)
  elseif person.seen < #p.server.events then
    p:feed(by, math.random(person.seen + 1, #p.server.events))
  end
end

for i = 1, RANDOM_COUNT do
  scene("random " .. i, { b1 = ("abcdef"):sub(1, math.random(0, 6)) }, function(p)
    local names = i % 4 == 0 and { "ann", "bob", "eve" } or { "ann", "bob" }
    for _ = 1, 30 do
      random_step(p, names)
    end
    for _, name in ipairs(names) do
      while #p:person(name).sent > 0 do
        p:take(name)
      end
    end
    for _, name in ipairs(names) do
      p:feed(name)
    end
  end)
end

-- ---- printing -------------------------------------------------------------------------------------------------------------------------

local out = {}
for i, made in ipairs(scenes) do
  local lines = {}
  for j, what in ipairs(made.steps) do
    lines[j] = "      " .. json.encode(what)
  end
  out[i] = ('    {"name": %s, "texts": %s, "ends": %s, "steps": [\n%s]}'):format(
    json.encode(made.name), json.encode(made.texts), json.encode(made.ends), table.concat(lines, ",\n"))
end
print('{\n  "about": "Concurrent typing: what is sent, ordered and shown. Members: README.md. Made by make_replica.lua.",\n  "cases": [\n'
  .. table.concat(out, ",\n") .. "\n  ]\n}")
