-- Clients that type before they are answered, held against spec/vectors/replica.json.

local json = require("support.json")
local replica = require("atoms.replica")
local shell = require("support.shell")
local text_op = require("atoms.text_op")

local function ready(texts)
  local blocks = {}
  for id, text in pairs(texts) do
    blocks[id] = { kind = "text", pos = "V", props = {}, text = text }
  end
  return { type = "CANVAS_READY", canvas_id = "c1", data = { canvas_type = "planning", state = { blocks = blocks } } }
end

local function patch(ops, cause)
  return { type = "state_patch", canvas_id = "c1", cause = cause, data = { ops = ops } }
end

local function splice_patch(block, splices, cause)
  local ops = {}
  for i, splice in ipairs(splices) do
    ops[i] = { op = "splice", id = block, at = splice[1], del = splice[2], ins = splice[3] }
  end
  return patch(ops, cause)
end

local function told(command)
  return { command_id = command.command_id, n = command.n, base = command.base, block = command.args.id,
    splice = { command.args.at, command.args.del, command.args.ins } }
end

-- ---- the players of one vector --------------------------------------------------------------------------------------------------------

local Stage = {}
Stage.__index = Stage

local function stage(case)
  return setmetatable({ case = case, people = {}, events = {}, blocks = {}, pace = nil }, Stage)
end

function Stage:person(name)
  if not self.people[name] then
    local mine = replica.new(name)
    assert(mine:feed(ready(self.case.texts), 0))
    self.people[name] = { mine = mine, seen = 0 }
  end
  return self.people[name]
end

function Stage:check_shown(name, shows)
  for block, text in pairs(shows) do
    local own = self:person(name).mine:text("c1", block)
    assert.equal(text, own == nil and json.null or own)
  end
end

local acts = {}

function acts.type(self, step)
  local sends = step.sends
  local command = self:person(step.by).mine:splice("c1", sends.block, table.unpack(sends.splice))
  self.blocks[sends.command_id] = sends.block
  assert.same(sends, told(command))
  self:check_shown(step.by, step.shows)
end

function acts.take(self, step)
  self:person(step.from).mine:answered(step.command_id, #step.splices > 0 and 1 or 0)
  self.events[step.event] = #step.splices > 0 and splice_patch(self.blocks[step.command_id], step.splices, step.command_id) or false
end

function acts.remove(self, step)
  self.events[step.event] = patch({ { op = "remove", id = step.block } })
end

function acts.refuse(self, step)
  local again, given_up = self:person(step.from).mine:refused(step.command_id)
  assert.same(step.given_up, given_up)
  for i, command in ipairs(again) do
    again[i] = told(command)
    self.blocks[command.command_id] = command.args.id
  end
  assert.same(step.sends, again)
  self:check_shown(step.from, step.shows)
end

function acts.feed(self, step)
  local person = self:person(step.to)
  for number = person.seen + 1, step.upto do
    local envelope = self.events[number]
    if envelope then
      assert(person.mine:feed(envelope, number))
    end
  end
  person.seen = step.upto
  self:check_shown(step.to, step.shows)
end

local function play(case)
  local self = stage(case)
  for _, step in ipairs(case.steps) do
    acts[step["do"]](self, step)
  end
  for name, person in pairs(self.people) do
    assert.is_true(person.mine:is_settled())
    self:check_shown(name, case.ends)
  end
end

local cases = json.must(shell.read("spec/vectors/replica.json")).cases

describe("people who type at the same time", function()
  for _, case in ipairs(cases) do
    it("agree: " .. case.name, function()
      play(case)
    end)
  end

  it("are found out when one carries an insert off by one", function()
    local transform, faults = text_op.transform, 0
    text_op.transform = function(a, b, a_is_later)
      local out = transform(a, b, a_is_later)
      if out.ins ~= "" and out.at ~= a.at then
        out.at = out.at - 1
      end
      return out
    end
    for _, case in ipairs(cases) do
      faults = faults + (pcall(play, case) and 0 or 1)
    end
    text_op.transform = transform
    assert.is_true(faults > #cases / 2)
  end)
end)

describe("a client's own edit", function()
  local mine

  before_each(function()
    mine = replica.new("o")
    mine:feed(ready({ b1 = "abc", b2 = "xyz" }), "e0")
  end)

  it("shows at once, counts n from 1 and names the last cursor as its base", function()
    local command = mine:splice("c1", "b1", 3, 0, "!")
    assert.equal("abc!", mine:text("c1", "b1"))
    assert.equal("abc", mine.run:text("c1", "b1"))
    assert.same({ command_id = "o-1", type = "block.splice", canvas_id = "c1", origin = "o", n = 1, base = "e0",
      args = { id = "b1", at = 3, del = 0, ins = "!" } }, command)
  end)

  it("that comes back other than it was carried is told, and the fold is right", function()
    mine:splice("c1", "b1", 3, 0, "!")
    local ok, problem = mine:feed(splice_patch("b1", { { 2, 0, "!" } }, "o-1"), "e1")
    assert.is_nil(ok)
    assert.equal("own_edit_differs", problem.code)
    assert.equal("ab!c", mine:text("c1", "b1"))
  end)

  it("that came to nothing is held until what emptied it has arrived", function()
    mine:splice("c1", "b1", 1, 1, "")
    mine:answered("o-1", 0)
    assert.equal("ac", mine:text("c1", "b1"))
    assert.is_false(mine:is_settled())
    mine:feed(splice_patch("b1", { { 0, 3, "" } }, "other"), "e1")
    assert.equal("", mine:text("c1", "b1"))
    assert.is_true(mine:is_settled())
  end)

  it("worth another try is sent again as it stands now, with the later ones", function()
    mine:splice("c1", "b1", 3, 0, "1")
    mine:splice("c1", "b1", 4, 0, "2")
    mine:splice("c1", "b2", 0, 3, "")
    mine:feed(splice_patch("b1", { { 0, 1, "" } }, "other"), "e1")
    local again, given_up = mine:refused("o-1", true)
    assert.same({}, given_up)
    assert.same({ { 1, "e1", "b1", 2, 0, "1" }, { 2, "e1", "b1", 3, 0, "2" }, { 3, "e1", "b2", 0, 3, "" } }, (function()
      local list = {}
      for i, command in ipairs(again) do
        local args = command.args
        list[i] = { command.n, command.base, args.id, args.at, args.del, args.ins }
      end
      return list
    end)())
    assert.equal("bc12", mine:text("c1", "b1"))
  end)

  it("of a block that others removed shows nothing and breaks nothing", function()
    mine:splice("c1", "b1", 3, 0, "!")
    assert.is_true(mine:feed(patch({ { op = "remove", id = "b1" } }), "e1"))
    assert.is_nil(mine:text("c1", "b1"))
    local again, given_up = mine:refused("o-1")
    assert.same({ {}, { "o-1" } }, { again, given_up })
    assert.is_true(mine:is_settled())
  end)

  it("is not shown on a block that went and came back, and falls; later ones on that block stand", function()
    local function insert(id, text)
      return patch({ { op = "insert", id = id, kind = "text", pos = "V", props = {}, text = text } })
    end
    mine:splice("c1", "b1", 3, 0, "!")
    mine:feed(patch({ { op = "remove", id = "b1" } }), "e1")
    mine:feed(insert("b1", "abc"), "e2")
    assert.equal("abc", mine:text("c1", "b1"))
    mine:splice("c1", "b1", 0, 1, "A")
    mine:feed(splice_patch("b1", { { 3, 0, "d" } }, "other"), "e3")
    assert.equal("Abcd", mine:text("c1", "b1"))
    local again, given_up = mine:refused("o-1")
    assert.same({ "o-1" }, given_up)
    assert.same({ n = 1, base = "e3", block = "b1", command_id = "o-3", splice = { 0, 1, "A" } }, told(again[1]))
    assert.equal("Abcd", mine:text("c1", "b1"))
  end)

  it("which nobody knows is no error to refuse or answer", function()
    mine:answered("never", 0)
    assert.same({}, (mine:refused("never")))
  end)
end)
