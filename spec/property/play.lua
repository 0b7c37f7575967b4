--- One schedule: a few clients work on one run at the same time, each seeing it late and in its own portions, with breaks in between; in
--- the end all of them and the gateway must hold the same, and everything acknowledged must have happened once.
---
---   play.run(loop, task, seed, options) → counts {commands=, frames=, refused=, unnoticed=}; an error says what did not hold
---       options: bearer=function(claims) → token, fault= (faults.lua), checks_order=, prints=
---
--- Most schedules send over one connection and fold only what has been answered, so that a seed replays exactly. The others race: a
--- connection for each client, and whatever has arrived.

local actions = require("property.actions")
local canonical = require("atoms.canonical")
local cjson = require("cjson")
local faults = require("property.faults")
local links = require("property.links")
local Member = require("property.member")
local random = require("property.random")
local repeats = require("property.repeats")
local same = require("property.same")

local play = {}

local Play = {}
Play.__index = Play

local STEPS = 40

local WEIGHTS = {
  splice = 34, burst = 4, insert = 9, update = 7, move = 8, remove = 3, token = 5, conditional = 2, commit = 2, mount = 1, graph = 8,
  say = 2, stream = 4, cancel = 1, bad = 2, batch = 4, twice = 2, again = 2, feed = 24, cut = 4, anew = 2,
  undo = 4, restore = 1,
}

local IDS = { tenant_id = "acme", mode = "dev", project_id = "p1", surface_id = "web", app_id = "demo" }

-- ---- sending --------------------------------------------------------------------------------------------------------------------------

local function body_of(self, command)
  local body = {}
  for _, source in ipairs({ IDS, command }) do
    for name, value in pairs(source) do
      body[name] = value
    end
  end
  body.run_id, body.key, body.must_be_refused, body.is_superseded = self.run_id, nil, nil, nil
  return body
end

local function text_of(self, commands)
  local list = {}
  for i, command in ipairs(commands) do
    list[i] = body_of(self, command)
  end
  return cjson.encode(#list == 1 and list[1] or list)
end

local function request_of(self, item)
  return {
    method = "POST", path = item.is_atomic and "/v1/commands?atomic=1" or "/v1/commands", bearer = item.member.bearer, body = item.text,
    again = function()
      if repeats.cut(item) then
        item.text = text_of(self, item.commands)
        repeats.note(item, self.repeated)
        return request_of(self, item)
      end
    end,
  }
end

local function post(self, member, text, item)
  item.member, item.text = member, text
  item.ticket = self.swallow and self.swallow(item) or member.caller:send(request_of(self, item))
  self.waiting[#self.waiting + 1] = item
  return item
end

--- `allowed`: codes that a refusal may have, by command.
local function send(self, member, commands, allowed, is_atomic)
  for _, command in ipairs(commands) do
    self:note("%s sends %s", member.name, command)
  end
  table.move(commands, 1, #commands, #member.sent + 1, member.sent)
  self.counts.commands = self.counts.commands + #commands
  return post(self, member, text_of(self, commands), { commands = commands, allowed = allowed, is_atomic = is_atomic })
end

-- ---- answers --------------------------------------------------------------------------------------------------------------------------

local function on_committed(self, member, command, answer)
  if command.must_be_refused then
    member:fail("%s was taken: %s", command.type, cjson.encode(command.args))
  end
  self.acknowledged[command.command_id] = answer.events
  for _ = 1, answer.events do
    self.known[#self.known + 1] = { cause = command.command_id, key = command.key }
  end
  if command.n then
    member.replica:answered(command.command_id, answer.events)
  end
end

--- Splices that are under way behind a refused one are refused for their number; the replica has sent others instead.
local function supersede(self, refused, from)
  local function judge(item)
    for _, command in ipairs(item.member == refused.member and item.commands or {}) do
      command.is_superseded = command.is_superseded or (command.n ~= nil and command.n > from)
    end
  end
  judge(refused)
  for _, item in ipairs(self.waiting) do
    judge(item)
  end
end

local function on_splice_refused(self, item, command)
  supersede(self, item, command.n)
  for _, again in ipairs((item.member.replica:refused(command.command_id))) do
    send(self, item.member, { again }, { { block_removed = true } })
  end
end

local function on_refused(self, item, i, problem)
  local command, member = item.commands[i], item.member
  self.counts.refused = self.counts.refused + 1
  if command.is_superseded then
    return
  elseif not item.allowed[i][problem.code] then
    member:fail("%s was refused: %s", cjson.encode(command.args), cjson.encode(problem))
  elseif command.n then
    on_splice_refused(self, item, command)
  elseif command.type == "chat.append" then
    member.message = nil
  end
end

--- The problem is that of one command, which its path names; none took effect.
local function on_atomic_refused(self, item, problem)
  local culprit = tonumber((problem.path or ""):match("^/(%d+)"))
  if not culprit then
    item.member:fail("an atomic batch was refused without a culprit: %s", cjson.encode(problem))
  end
  on_refused(self, item, culprit + 1, problem)
end

local function on_outcomes(self, item, status, body)
  for i, command in ipairs(item.commands) do
    local answer = #item.commands > 1 and body[i] or body
    if status == 200 and answer.status == "committed" then
      on_committed(self, item.member, command, answer)
    else
      on_refused(self, item, i, status == 200 and answer.problem or body)
    end
  end
end

local function on_answer(self, item)
  local ticket, first = item.ticket, item.first and item.first.ticket
  if ticket.is_dropped then
    self:note("%s drops %s", item.member.name, item.text)
    return
  end
  self:note("%s is answered %d %s", item.member.name, ticket.status, ticket.body)
  if ticket.status >= 500 then
    item.member:fail("an answer %d: %s", ticket.status, ticket.body)
  elseif first and first.status == 200 and ticket.body ~= first.body then
    item.member:fail("a repeated command is answered otherwise: %s, first %s", ticket.body, first.body)
  elseif first and (first.status == 200 or ticket.status ~= 200) then
    return -- the same as before
  elseif item.is_atomic and ticket.status ~= 200 then
    on_atomic_refused(self, item, cjson.decode(ticket.body))
  else
    on_outcomes(self, item, ticket.status, cjson.decode(ticket.body))
  end
  self.answered[#self.answered + 1] = item
end

--- Until every command is answered; refusals may bring new ones.
local function settle(self)
  while #self.waiting > 0 do
    local item = table.remove(self.waiting, 1)
    self.task:wait("an answer", function()
      return item.ticket.is_done
    end)
    on_answer(self, item)
  end
end

local function take_answers(self)
  while self.waiting[1] and self.waiting[1].ticket.is_done do
    on_answer(self, table.remove(self.waiting, 1))
  end
end

-- ---- steps ----------------------------------------------------------------------------------------------------------------------------

local steps = {}

for name, make in pairs(actions) do
  steps[name] = function(self, member, dice)
    local command, allowed = make(member, dice)
    if command then
      send(self, member, { command }, { allowed })
    end
  end
end

function steps.burst(self, member, dice)
  for _ = 1, dice:int(2, 5) do
    steps.splice(self, member, dice)
  end
end

local BATCHED = { insert = 4, update = 3, move = 3, token = 2, commit = 1, remove = 1, splice = 3 }

function steps.batch(self, member, dice)
  local commands, allowed, is_atomic = {}, {}, dice:chance(40)
  for _ = 1, dice:int(2, 5) do
    local name = dice:weighted(BATCHED)
    local command, codes
    if not (is_atomic and name == "splice") then
      command, codes = actions[name](member, dice)
    end
    if command then
      commands[#commands + 1], allowed[#allowed + 1] = command, codes
    end
  end
  if #commands > 1 then
    send(self, member, commands, allowed, is_atomic)
  elseif commands[1] then
    send(self, member, commands, allowed)
  end
end

--- The same command again while the first is under way.
function steps.twice(self, member, dice)
  steps[dice:pick({ "insert", "token", "splice", "move" })](self, member, dice)
  local item = self.waiting[#self.waiting]
  if item and item.member == member and not item.first and #item.commands == 1 and not item.ticket.is_done then
    post(self, member, item.text, { commands = item.commands, allowed = item.allowed, first = item })
  end
end

--- A command again that was answered long ago.
function steps.again(self, _, dice)
  local item = #self.answered > 0 and dice:pick(self.answered)
  if item and item.ticket.status == 200 and #item.commands == 1 then
    post(self, item.member, item.text, { commands = item.commands, allowed = item.allowed, first = item })
  end
end

function steps.feed(self, member, dice)
  if not self.is_ordered then
    take_answers(self)
    return member:feed_arrived(dice:int(1, 12))
  end
  settle(self)
  member:feed(dice:int(0, member:behind()))
end

function steps.cut(self, member)
  self:note("%s is cut", member.name)
  member:cut()
end

function steps.anew(self, member)
  if member ~= self.members[1] then
    settle(self)
    self:note("%s begins anew", member.name)
    member:begin_anew()
  end
end

-- ---- the end --------------------------------------------------------------------------------------------------------------------------

local function end_messages(self)
  for _, member in ipairs(self.members) do
    if member.message then
      local command = { command_id = member:id("c"), type = "chat.append", args = { message_id = member.message.id, ["end"] = "done" } }
      send(self, member, { command }, { { chat_ended = true } })
      member.message = nil
    end
  end
end

--- Everything acknowledged happened once, and nothing else did.
local function check_nothing_lost(self)
  local counts = {}
  for _, cause in ipairs(self.members[1].causes) do
    counts[cause] = (counts[cause] or 0) + 1
  end
  for command_id, events in pairs(self.acknowledged) do
    if (counts[command_id] or 0) ~= events then
      error(("%s was acknowledged with %d events and has %d"):format(command_id, events, counts[command_id] or 0), 0)
    end
    counts[command_id] = nil
  end
  if next(counts) then
    error(("%s has events and was never acknowledged"):format((next(counts))), 0)
  end
end

--- The later clients have seen the end of what the first has seen, in its order.
local function check_same_order(self, member)
  local known, at = self.members[1].causes, #member.causes
  for i = #known, 1, -1 do
    if at > 0 and member.causes[at] == known[i] then
      at = at - 1
    elseif at > 0 and not member.is_narrow then
      member:fail("event %d from the end is caused by %s, is %s to others", #known - i + 1, member.causes[at], known[i])
    end
  end
  if at > 0 then
    member:fail("%s is an event that others have not seen", member.causes[at])
  end
end

local function get_state(self, member)
  local ticket = member.caller:send({ path = "/v1/state?" .. self.query, bearer = member.bearer })
  self.task:wait("the state", function()
    return ticket.is_done
  end)
  local state = cjson.decode(ticket.body)
  local cursor = state.cursor
  state.cursor = nil
  return state, cursor
end

--- The gateway may have committed by itself since the last command.
local function check_state(self, member)
  local state, cursor = get_state(self, member)
  member:feed_until(function()
    return member.replica.run.cursor == cursor
  end)
  local difference = same.difference(member.replica.run:state(), state)
  if difference then
    member:fail("holds another state than GET /v1/state: %s", difference)
  elseif not member.replica:is_settled() then
    member:fail("%s is pending still", member.replica.pending[1].command_id)
  end
end

local function finish(self)
  settle(self)
  end_messages(self)
  settle(self)
  local last = { command_id = "the-end", type = "token.set", args = { set = { ["plan.title"] = "the end" } }, key = "plan.title" }
  send(self, self.members[1], { last }, { {} })
  settle(self)
  for _, member in ipairs(self.members) do
    member:feed_until(function()
      return member.causes[#member.causes] == last.command_id
    end)
  end
  check_nothing_lost(self)
  for _, member in ipairs(self.members) do
    if self.checks_order then
      check_same_order(self, member)
    end
    check_state(self, member)
  end
end

-- ---- all ------------------------------------------------------------------------------------------------------------------------------

local function sees_all()
  return true
end

--- An event of a Token that its lens hides is none to this client.
local function sees_plan(event)
  return not event.key or event.key:find("^plan%.") ~= nil
end

--- Two to four, one of them an agent, who may see some Tokens only.
local function choose_members(dice)
  local is_narrow = dice:chance(25)
  local claims = { { actor = "ann", kind = "user" }, { actor = "bob", kind = "user" },
    { actor = is_narrow and "nan" or "eve", kind = "agent", tokens = is_narrow and { "plan.*" } or nil },
    { actor = "dan", kind = "user" } }
  return table.move(claims, 1, dice:pick({ 2, 3, 3, 3, 4 }), 1, {})
end

local function add_members(self, options)
  local shared = self.is_ordered and links.caller(self.loop, self.task)
  for i, claim in ipairs(choose_members(self.dice)) do
    local member = Member.new(self, { name = claim.actor, kind = claim.kind, bearer = options.bearer(claim),
      caller = shared or links.caller(self.loop, self.task), sees = claim.tokens and sees_plan or sees_all,
      tamper = i == 2 and options.fault and faults.tamper(options.fault, self.dice) })
    member.is_narrow, member.checks_hash = claim.tokens ~= nil, i == 1
    self.members[i] = member
  end
end

local function begin(self)
  local ann = self.members[1]
  local function insert(id, text, after)
    return { command_id = "i" .. id, type = "block.insert", canvas_id = "c1",
      args = { block = { id = id, kind = "text", after = after, text = text } } }
  end
  send(self, ann, {
    { command_id = "mount", type = "canvas.mount", canvas_id = "c1", args = { canvas_type = "planning" } },
    insert("b0", "first 😀"), insert("b00", "second", "b0"),
  }, { {}, {}, {} })
  settle(self)
end

--- Before the run has an event, or when it has some; the first client sees all of them in any case.
local function open_streams(self, is_early)
  for _, member in ipairs(is_early and self.members or { self.members[1] }) do
    member.start = "earliest"
    member:open()
  end
  begin(self)
  for i = 2, is_early and 0 or #self.members do
    self.members[i]:begin_anew()
  end
end

--- Tables are printed with sorted members, so that two runs of a seed can be compared.
function Play:note(format, ...)
  if self.prints then
    local values = { ... }
    for i, value in ipairs(values) do
      values[i] = type(value) == "table" and canonical.object(value) or value
    end
    print(("  %s"):format(format:format(table.unpack(values))))
  end
end

function Play:trace(member, frame, envelope)
  if self.prints then
    self:note("%s gets %s by %s: %s", member.name, frame.event or "an id", envelope and envelope.cause or "-",
      envelope and envelope.type ~= "CANVAS_READY" and envelope.data or "")
  end
end

function play.run(loop, task, seed, options)
  local dice = random.new(seed)
  local self = setmetatable({ loop = loop, task = task, seed = seed, dice = dice, run_id = ("s%d"):format(seed), members = {}, waiting = {},
    answered = {}, known = {}, acknowledged = {}, repeated = {}, prints = options.prints,
    counts = { commands = 0, frames = 0, refused = 0 }, checks_order = options.checks_order ~= false }, Play)
  self.is_ordered = dice:chance(75)
  self.swallow = options.fault == "lose" and faults.swallow(dice) or nil
  self.query = ("tenant_id=acme&mode=dev&project_id=p1&surface_id=web&app_id=demo&run_id=%s"):format(self.run_id)
  add_members(self, options)
  open_streams(self, dice:chance(50))
  for _ = 1, STEPS do
    steps[dice:weighted(WEIGHTS)](self, dice:pick(self.members), dice)
  end
  finish(self)
  self.counts.unnoticed = self.members[2].is_struck and 1 or 0
  return self.counts
end

return play
