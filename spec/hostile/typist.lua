--- A client that keeps a number of commands in flight on several connections until they end, and remembers what it was told.
---
---   typist.new{gateway=, bearer=, make=, connections=, in_flight=, next_command=function(count) → command} → t
---   t:connect()               opens its connections and fills them
---   t:sockets(list)           adds its open sockets to a list for socket.select
---   t:on_readable(socket)     takes answers and sends the next commands; true when the socket is one of its own
---   t:is_over()               all its connections have ended
---   t.sent = {{id=, body=, answer=text or nil, status=}, …} in the order of sending      t.answered = count
---   typist.repeat_all(gateway, bearer, sent) → answers as texts, in order: every command again, pipelined

local command = require("support.command")
local http = require("support.http")
local json = require("support.json")
local wire = require("hostile.wire")

local typist = {}

local Typist = {}
Typist.__index = Typist

function typist.new(options)
  local self = setmetatable({ sent = {}, answered = 0, pipes = {}, open_count = 0 }, Typist)
  for name, value in pairs(options) do
    self[name] = value
  end
  return self
end

local function send_next(self, pipe)
  local made = self.next_command(#self.sent + 1)
  local entry = { id = made.command_id, body = json.encode(made) }
  self.sent[#self.sent + 1] = entry
  pipe.waiting[#pipe.waiting + 1] = entry
  return wire.post(self.bearer, entry.body)
end

function Typist:connect()
  self.pipes, self.open_count = {}, self.connections
  for i = 1, self.connections do
    local connection = http.connect(self.gateway.base)
    local pipe = { connection = connection, waiting = {}, first = 1, text = "" }
    self.pipes[connection.raw] = pipe
    local parts = {}
    for _ = 1, self.in_flight // self.connections do
      parts[#parts + 1] = send_next(self, pipe)
    end
    connection:send(table.concat(parts))
    self.pipes[i] = pipe
  end
end

function Typist:sockets(list)
  for _, pipe in ipairs(self.pipes) do
    if not pipe.has_ended then
      list[#list + 1] = pipe.connection.raw
    end
  end
end

local function take_answers(self, pipe)
  local count = 0
  while true do
    local answer, after = wire.parse_answer(pipe.text, 1)
    if not answer then
      return count
    end
    pipe.text = pipe.text:sub(after)
    local entry = pipe.waiting[pipe.first]
    pipe.first = pipe.first + 1
    entry.status, entry.answer = answer.status, answer.body
    self.answered = self.answered + (answer.status == 200 and 1 or 0)
    count = count + 1
  end
end

local function finish(self, pipe)
  pipe.has_ended = true
  pipe.connection:close()
  self.open_count = self.open_count - 1
end

function Typist:on_readable(raw)
  local pipe = self.pipes[raw]
  if not pipe then
    return false
  end
  raw:settimeout(0)
  local whole, message, partial = raw:receive(65536)
  pipe.text = pipe.text .. (whole or partial or "")
  local count = take_answers(self, pipe)
  if message == "closed" then
    finish(self, pipe)
    return true
  end
  local parts = {}
  for _ = 1, count do
    parts[#parts + 1] = send_next(self, pipe)
  end
  if count > 0 and not pipe.connection:send(table.concat(parts)) then
    pipe.is_cut = true -- what it still said is read before the end is seen
  end
  return true
end

function Typist:is_over()
  return self.open_count == 0
end

-- ---- repeating -------------------------------------------------------------------------------------------------------------------------

local WINDOW = 32

function typist.repeat_all(gateway, bearer, sent)
  local connection = gateway:connect()
  local answers = {}
  for from = 1, #sent, WINDOW do
    local parts = {}
    local to = math.min(#sent, from + WINDOW - 1)
    for i = from, to do
      parts[#parts + 1] = wire.post(bearer, sent[i].body)
    end
    connection:send(table.concat(parts))
    for i = from, to do
      local response = connection:response()
      answers[i] = response.status == 200 and response.body or ("%d %s"):format(response.status, response.body)
    end
  end
  connection:close()
  return answers
end

--- How many blocks there may be. A block is removed when so many came after it that its own insert is long answered.
local BLOCKS = 60

--- Commands that always fit: Tokens, revisions, and blocks that nobody else names.
function typist.mixed(make)
  local blocks = {}
  return function(count)
    local kind = count % 8
    if kind < 4 then
      return make:tokens({ ["plan.days"] = count % 365 + 1 })
    elseif kind == 4 and #blocks > BLOCKS then
      return make("block.remove", { id = table.remove(blocks, 1) })
    elseif kind < 6 then
      blocks[#blocks + 1] = command.id("b")
      return make:insert(blocks[#blocks], { text = "text of " .. blocks[#blocks] })
    elseif kind == 6 then
      return make:tokens({ ["plan.title"] = ("title %d"):format(count) })
    end
    return make("canvas.commit", json.object({ message = "commit " .. count }))
  end
end

return typist
