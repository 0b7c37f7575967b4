--- The two kinds of connections of a schedule, as links of the reactor.
---
---   local caller = links.caller(loop, task)                one keep-alive connection; requests are pipelined and answered in order
---   local ticket = caller:send{method=, path=, bearer=, body=, again=}     ticket.is_done, .status, .body once it is answered
---       A connection that breaks is opened again, and what was not answered is sent again, in order. Before that `again()`, if any,
---       answers the request to send now, or nil when it is not wanted any more: ticket.is_dropped, and no status.
---
---   local follower = links.follower(loop, task, target)    target{bearer=, query=, cursor=function() → cursor or nil}
---   follower:open()  follower:cut()                        cut forgets the frames that nobody took, and opens again at target.cursor()
---   follower.frames                                        {event=, id=, data=} in order; take from the front with follower:take()

local links = {}

-- ---- requests -------------------------------------------------------------------------------------------------------------------------

local Caller = {}
Caller.__index = Caller

function links.caller(loop, task)
  local self = setmetatable({ loop = loop, task = task, tickets = {}, first = 1, last = 0, text = "" }, Caller)
  loop:connect(self)
  return self
end

local HEAD = "%s %s HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer %s\r\n"

local function bytes_of(request)
  local head = HEAD:format(request.method or "GET", request.path, request.bearer)
  if not request.body then
    return head .. "\r\n"
  end
  return ("%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"):format(head, #request.body, request.body)
end

function Caller:send(request)
  local ticket = { bytes = bytes_of(request), is_done = false, again = request.again }
  self.last = self.last + 1
  self.tickets[self.last] = ticket
  self.loop:send(self, ticket.bytes)
  return ticket
end

local function is_wanted(ticket)
  local request = not ticket.again or ticket.again()
  if not request then
    ticket.is_done, ticket.is_dropped = true, true
  elseif ticket.again then
    ticket.bytes = bytes_of(request)
  end
  return not ticket.is_done
end

function Caller:reopen()
  local tickets = {}
  for i = self.first, self.last do
    if is_wanted(self.tickets[i]) then
      tickets[#tickets + 1] = self.tickets[i]
    end
  end
  self.text, self.tickets, self.first, self.last = "", tickets, 1, #tickets
  self.loop:connect(self)
  for _, ticket in ipairs(tickets) do
    self.loop:send(self, ticket.bytes)
  end
end

--- A connection may end between two answers, as any may.
Caller.on_closed = Caller.reopen

local function take_answer(self)
  local _, head_end = self.text:find("\r\n\r\n", 1, true)
  if not head_end then
    return false
  end
  local status, length = self.text:match("^HTTP/1%.1 (%d+)"), self.text:match("\r\n[Cc]ontent%-[Ll]ength: (%d+)")
  assert(status and length, "no answer: " .. self.text:sub(1, 200))
  local stop = head_end + tonumber(length)
  if #self.text < stop then
    return false
  end
  local ticket = self.tickets[self.first]
  self.tickets[self.first] = nil
  self.first = self.first + 1
  ticket.is_done, ticket.status, ticket.body = true, tonumber(status), self.text:sub(head_end + 1, stop)
  self.text = self.text:sub(stop + 1)
  return true
end

function Caller:on_bytes(bytes)
  self.text = self.text .. bytes
  while self.text ~= "" and take_answer(self) do end
end

-- ---- streams --------------------------------------------------------------------------------------------------------------------------

local Follower = {}
Follower.__index = Follower

function links.follower(loop, task, target)
  return setmetatable({ loop = loop, task = task, target = target, frames = {}, first = 1, last = 0, text = "" }, Follower)
end

function Follower:open()
  local cursor = self.target.cursor()
  self.frames, self.first, self.last, self.text, self.has_head = {}, 1, 0, "", false
  self.loop:connect(self)
  self.loop:send(self, bytes_of({ path = "/v1/stream?" .. self.target.query .. (cursor and "&cursor=" .. cursor or ""),
    bearer = self.target.bearer }))
end

Follower.reopen = Follower.open

function Follower:cut()
  self.loop:close(self)
  self:open()
end

function Follower:count()
  return self.last - self.first + 1
end

function Follower:take()
  local frame = self.frames[self.first]
  self.frames[self.first] = nil
  self.first = self.first + 1
  return frame
end

local function add_block(self, block)
  local frame = {}
  for name, value in block:gmatch("([^\n:]*): ?([^\n]*)") do
    if name == "id" or name == "event" or name == "data" then
      frame[name] = value
    end
  end
  if frame.id or frame.data then
    self.last = self.last + 1
    self.frames[self.last] = frame
  end
end

local function take_head(self)
  local _, stop = self.text:find("\r\n\r\n", 1, true)
  if stop then
    assert(self.text:find("^HTTP/1%.1 200 "), "no stream: " .. self.text)
    self.text, self.has_head = self.text:sub(stop + 1), true
  end
  return stop
end

function Follower:on_bytes(bytes)
  self.text = self.text .. bytes
  if not self.has_head and not take_head(self) then
    return
  end
  local from = 1
  while true do
    local start, stop = self.text:find("\n\n", from, true)
    if not start then
      break
    end
    add_block(self, self.text:sub(from, start))
    from = stop + 1
  end
  self.text = self.text:sub(from)
end

return links
