--- One simulated client of a schedule: a stream that may be cut, a replica that is fed late, commands under way. All that it knows of the
--- run it has from frames, by lua/atoms alone.
---
---   local member = Member.new(play, {name=, bearer=, caller=, sees=function(event), tamper=})
---   member:open()                      begins its stream at member.start ("earliest")
---   member:feed(count)                 waits for this many more durable events, and folds them
---   member:cut()                       its connection breaks; frames that were not folded are lost; it resumes
---   member:begin_anew()                a new stream without a cursor; waits for the checkpoint
---   member:behind()                    how many of the events known to have happened it has not folded
---   member.replica, member.causes      what it shows; the causes of the events folded since its last checkpoint

local canonical = require("atoms.canonical")
local cjson = require("cjson")
local fold = require("atoms.fold")
local links = require("property.links")
local replica = require("atoms.replica")
local state_hash = require("atoms.state_hash")

fold.null, canonical.null = cjson.null, cjson.null

local Member = {}
Member.__index = Member

local function pass(_, envelope)
  return { envelope }
end

function Member.new(play, options)
  local self = setmetatable({ play = play, name = options.name, bearer = options.bearer, caller = options.caller, kind = options.kind,
    sees = options.sees, tamper = options.tamper or pass, position = 0, made = 0, causes = {}, sent = {} }, Member)
  self.replica = replica.new(options.name .. "-" .. play.seed)
  self.follower = links.follower(play.loop, play.task, {
    bearer = options.bearer,
    query = play.query,
    cursor = function()
      return self.replica.run.cursor or self.start
    end,
  })
  return self
end

function Member:id(prefix)
  self.made = self.made + 1
  return ("%s%s%d"):format(prefix, self.name, self.made)
end

function Member:open()
  self.follower:open()
end

function Member:fail(format, ...)
  error(("%s: %s"):format(self.name, format:format(...)), 0)
end

-- ---- folding --------------------------------------------------------------------------------------------------------------------------

local function on_verdict(self, data)
  local expected = (self.replica.run.cursor or self.start) and "exact" or "fresh"
  if data.status ~= expected then
    self:fail("the verdict is %s (%s), should be %s", data.status, tostring(data.reason), expected)
  end
  if data.status == "fresh" then
    self.is_in_checkpoint, self.causes = true, {}
  end
end

--- To the next known event that this client's lens shows.
local function advance(self)
  local known = self.play.known
  repeat
    self.position = self.position + 1
  until not known[self.position] or self.sees(known[self.position])
  return known[self.position]
end

--- Who does not see everything gets no hash, which would tell whether it had guessed right.
local function check_hash(self, envelope)
  local hash = envelope.data.state_hash
  if self.is_narrow and hash then
    self:fail("revision %d has a hash of what this client may not see", envelope.data.rev)
  elseif self.checks_hash and hash ~= state_hash.of(self.replica.run, envelope.canvas_id) then
    self:fail("the hash of revision %d differs", envelope.data.rev)
  end
end

local function fold_one(self, envelope, id)
  local ok, problem = self.replica:feed(envelope, id)
  if not ok then
    self:fail("%s: %s", problem.code, problem.message)
  end
  if envelope and envelope.type == "canvas_commit" then
    check_hash(self, envelope)
  end
end

--- What was refused before a kill, and sent again, may be taken then, behind what stood behind it: of those that were sent again one may
--- stand in the place of another.
local function is_in_place(self, expected, cause)
  local repeated = self.play.repeated
  return expected.cause == cause or (repeated[expected.cause] and repeated[cause])
end

local function check_order(self, expected, events)
  if #events ~= 1 or not expected or not is_in_place(self, expected, events[1].cause) then
    self:fail("event %d is caused by %s, and came %d times; should be by %s", self.position,
      tostring(events[1] and events[1].cause), #events, expected and expected.cause or "nobody")
  end
end

--- `events` is the event as the client gets it: one, if nothing is at fault.
local function account(self, events)
  for _, envelope in ipairs(events) do
    self.causes[#self.causes + 1] = envelope.cause
  end
  if self.play.is_ordered then
    local expected = advance(self)
    if self.play.checks_order then
      check_order(self, expected, events)
    end
  end
end

--- True when the frame was a durable event.
local function take_frame(self)
  self.play.task:wait("a frame for " .. self.name, function()
    return self.follower:count() > 0
  end)
  local frame = self.follower:take()
  local envelope = frame.data and cjson.decode(frame.data)
  self.play.counts.frames = self.play.counts.frames + 1
  if envelope and envelope.type == "resume" then
    on_verdict(self, envelope.data)
  end
  local is_event = frame.id and envelope and envelope.cause and not self.is_in_checkpoint
  self.is_in_checkpoint = self.is_in_checkpoint and not frame.id
  self.play:trace(self, frame, envelope)
  local events = is_event and self:tamper(envelope) or { envelope or false }
  if is_event then
    account(self, events)
  end
  for _, one in ipairs(events) do
    fold_one(self, one or nil, frame.id)
  end
  return is_event
end

function Member:feed(count)
  while count > 0 do
    if take_frame(self) then
      count = count - 1
    end
  end
end

--- What has arrived, up to this many frames.
function Member:feed_arrived(count)
  for _ = 1, math.min(count, self.follower:count()) do
    take_frame(self)
  end
end

function Member:feed_until(predicate)
  while not predicate() do
    take_frame(self)
  end
end

function Member:behind()
  local count = 0
  for i = self.position + 1, #self.play.known do
    count = count + (self.sees(self.play.known[i]) and 1 or 0)
  end
  return count
end

-- ---- breaking -------------------------------------------------------------------------------------------------------------------------

function Member:cut()
  self.follower:cut()
end

function Member:begin_anew()
  self.replica.run.cursor, self.start, self.position = nil, nil, #self.play.known
  self.follower:cut()
  repeat
    take_frame(self)
  until self.replica.run.cursor
end

return Member
