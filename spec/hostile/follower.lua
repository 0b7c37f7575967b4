--- A stream that is cut again and again, resumes from its last cursor, and keeps the bytes of every frame that carried one.
---
---   follower.new{gateway=, bearer=, run_id=, canvas_id=} → f       begins at the first event
---   f:connect()              opens, or resumes; an error unless the verdict is exact
---   f:sockets(list), f:on_readable(socket), f:is_over()   as in typist.lua
---   f:read_up_to(cursor)     waits for the frame with this cursor
---   f:text()                 all id-carrying frames so far, as bytes        f.last_id
---   follower.read_whole(f)   the same for a stream of its kind that is never cut, up to f.last_id

local clock = require("support.clock")
local json = require("support.json")

local follower = {}

local Follower = {}
Follower.__index = Follower

function follower.new(options)
  local self = setmetatable({ parts = {}, last_id = "earliest" }, Follower)
  for name, value in pairs(options) do
    self[name] = value
  end
  return self
end

local function keep(self, raw)
  local id = raw:match("^id: ([^\n]+)\n") or raw:match("\nid: ([^\n]+)\n")
  if id then
    self.last_id = id
    self.parts[#self.parts + 1] = raw
  elseif raw:find("event: resume\n", 1, true) then
    self.verdict = json.must(raw:match("data: ([^\n]+)\n")).data
    assert(self.verdict.status == "exact", "not resumed exactly: " .. raw)
  end
end

local function take_frames(self)
  local from = 1
  while true do
    local _, stop = self.pending:find("\n\n", from, true)
    if not stop or self.last_id == self.stop_at then
      break
    end
    keep(self, self.pending:sub(from, stop))
    from = stop + 1
  end
  self.pending = self.pending:sub(from)
end

function Follower:connect()
  local stream = self.gateway:stream({ bearer = self.bearer, run_id = self.run_id, canvas_id = self.canvas_id, cursor = self.last_id })
  self.connection, self.pending, self.has_ended, self.verdict = stream.connection, stream.connection.buffer, false, nil
  stream.connection.buffer = ""
  take_frames(self)
end

function Follower:sockets(list)
  if not self.has_ended then
    list[#list + 1] = self.connection.raw
  end
end

function Follower:on_readable(raw)
  if self.has_ended or raw ~= self.connection.raw then
    return false
  end
  raw:settimeout(0)
  local whole, message, partial = raw:receive(65536)
  self.pending = self.pending .. (whole or partial or "")
  take_frames(self)
  if message == "closed" then
    self.has_ended, self.pending = true, ""
    self.connection:close()
  end
  return true
end

function Follower:is_over()
  return self.has_ended
end

function Follower:text()
  return table.concat(self.parts)
end

--- Frames behind that one stay unread.
function Follower:read_up_to(cursor)
  local deadline = clock.deadline()
  self.stop_at = cursor
  take_frames(self)
  while self.last_id ~= cursor do
    local bytes, message = self.connection:read_some(deadline)
    assert(bytes, ("%s before the cursor came; %d frames, the last one %s"):format(message, #self.parts, self.parts[#self.parts]))
    self.pending = self.pending .. bytes
    take_frames(self)
  end
end

function follower.read_whole(of)
  local whole = follower.new({ gateway = of.gateway, bearer = of.bearer, run_id = of.run_id, canvas_id = of.canvas_id })
  whole.stop_at = of.last_id
  whole:connect()
  whole:read_up_to(of.last_id)
  whole.connection:close()
  return whole:text()
end

return follower
