--- Event streams, read as the WHATWG HTML standard says (9.2.6), by a parser that shares nothing with the gateway's encoder.
---
---   sse.parser() → parser;  parser:feed(bytes) → list of frames
---     frame: {event=, id=, data=, json=decoded data, retry=, comments={…}, raw=its bytes}
---     A block without data (comments, a bare id) is a frame too: specs want to see it. `id` is that of this block, or nil.
---   sse.open(connection, request) → stream       sends the request, reads the head; error unless 200 text/event-stream
---     stream.response                            the head
---     stream:next(seconds?)                      the next frame with data; comments and bare ids are passed over and kept in `skipped`
---     stream:block(seconds?)                     the next frame of any kind
---     stream:expect(type, seconds?)              the next one, which must be of that type
---     stream:find(what, predicate, seconds?)     reads on to the first frame that satisfies it; the ones before are in `passed`
---     stream:rest(seconds?)                      frames until the peer ends the stream
---     stream:is_ended(seconds?)                  waits for the peer's end; frames that came meanwhile are in `passed`
---     stream:close()
---     stream.last_id                             the cursor of the last frame that carried one: what a client would send
---     stream.carried                             the raw bytes of every frame that carried an id, in order (outside checkpoints)
---     stream.verdict                             data of the first `resume`, once read
---     stream.ephemera                            presence and gestures, which are in none of the above
---     stream:see(what, predicate, seconds?)      reads on until one of them satisfies it, from the `seen`-th on; answers that frame

local api = require("support.api")
local clock = require("support.clock")
local json = require("support.json")

local sse = {}

-- ---- parsing --------------------------------------------------------------------------------------------------------------------------

local Parser = {}
Parser.__index = Parser

function sse.parser()
  return setmetatable({ text = "" }, Parser)
end

local function read_field(frame, line)
  if line:sub(1, 1) == ":" then
    frame.comments[#frame.comments + 1] = line:sub(2)
    return
  end
  local name, value = line:match("^([^:]*): ?(.*)$")
  name, value = name or line, value or ""
  if name == "data" then
    frame.data = frame.data and frame.data .. "\n" .. value or value
  elseif name == "event" then
    frame.event = value
  elseif name == "id" and not value:find("\0", 1, true) then
    frame.id = value
  elseif name == "retry" and value:find("^%d+$") then
    frame.retry = tonumber(value)
  end
end

local function parse_block(raw)
  local frame = { raw = raw, comments = {} }
  for line in raw:gmatch("([^\n]*)\n") do
    if line ~= "" then
      read_field(frame, line)
    end
  end
  if frame.data then
    frame.json = json.must(frame.data)
  end
  return frame
end

--- The gateway writes LF alone; a CR anywhere is a fault of it.
function Parser:feed(bytes)
  assert(not bytes:find("\r", 1, true), "a carriage return in an event stream")
  self.text = self.text .. bytes
  local frames, from = {}, 1
  while true do
    local _, stop = self.text:find("\n\n", from, true)
    if not stop then
      break
    end
    frames[#frames + 1] = parse_block(self.text:sub(from, stop))
    from = stop + 1
  end
  self.text = self.text:sub(from)
  return frames
end

-- ---- chunked bodies, as a proxy may make of it ----------------------------------------------------------------------------------------

local function unchunk(state, bytes)
  state.text = state.text .. bytes
  local out = {}
  while true do
    local size, from = state.text:match("^(%x+)[^\r\n]*\r\n()")
    local length = size and tonumber(size, 16)
    if not length or #state.text < from + length + 1 then
      return table.concat(out)
    end
    out[#out + 1] = state.text:sub(from, from + length - 1)
    state.text = state.text:sub(from + length + 2)
    state.is_ended = length == 0
  end
end

-- ---- streams --------------------------------------------------------------------------------------------------------------------------

local Stream = {}
Stream.__index = Stream

function sse.open(connection, request)
  connection:request(request)
  local response = connection:response_head()
  if response.status ~= 200 or not (response.headers["content-type"] or ""):find("^text/event%-stream") then
    error(("no stream: %s%s"):format(response.head, connection:read_all(clock.deadline(1))), 2)
  end
  api.check_stream_head(response)
  local stream = { connection = connection, response = response, parser = sse.parser() }
  stream.frames, stream.carried, stream.skipped, stream.passed = {}, {}, {}, {}
  stream.ephemera, stream.seen = {}, 0
  if response.headers["transfer-encoding"] then
    stream.chunks = { text = "" }
  end
  return setmetatable(stream, Stream)
end

local function is_checkpoint(stream, frame)
  return stream.in_checkpoint and (frame.event == "CANVAS_READY" or frame.event == nil)
end

--- A `fresh` or `reset` verdict is followed by a checkpoint, which ends with the first frame that carries an id.
local function account(stream, frame)
  if frame.event == "resume" then
    stream.verdict = frame.json.data
    stream.in_checkpoint = stream.verdict.status == "fresh" or stream.verdict.status == "reset"
  end
  if not frame.id then
    return
  end
  stream.last_id = frame.id
  if is_checkpoint(stream, frame) then
    stream.in_checkpoint = false
  else
    stream.carried[#stream.carried + 1] = frame.raw
  end
end

local function is_ephemeral(frame)
  return frame.event == "presence" or frame.event == "gesture"
end

--- Reads what has arrived: true, or nil and why not.
local function fill(stream, deadline)
  local bytes, message = stream.connection:read_some(deadline)
  if not bytes then
    return nil, message
  end
  local frames = stream.parser:feed(stream.chunks and unchunk(stream.chunks, bytes) or bytes)
  for _, frame in ipairs(frames) do
    api.check_frame(frame)
    local list = is_ephemeral(frame) and stream.ephemera or stream.frames
    list[#list + 1] = frame
  end
  return true
end

local function take(stream, deadline)
  while #stream.frames == 0 do
    if stream.chunks and stream.chunks.is_ended then
      return nil, "closed"
    end
    local ok, message = fill(stream, deadline)
    if not ok then
      return nil, message
    end
  end
  local frame = table.remove(stream.frames, 1)
  account(stream, frame)
  return frame
end

function Stream:block(seconds)
  local frame, message = take(self, clock.deadline(seconds))
  if not frame then
    error("no frame: " .. message, 2)
  end
  return frame
end

function Stream:next(seconds)
  local deadline = clock.deadline(seconds)
  while true do
    local frame, message = take(self, deadline)
    if not frame then
      error("no frame: " .. message, 2)
    end
    if frame.data then
      return frame
    end
    self.skipped[#self.skipped + 1] = frame
  end
end

function Stream:expect(event, seconds)
  local frame = self:next(seconds)
  if frame.event ~= event then
    error(("expected %s, got %s"):format(event, frame.raw), 2)
  end
  return frame
end

function Stream:find(what, predicate, seconds)
  local deadline = clock.deadline(seconds)
  self.passed = {}
  while true do
    local frame, message = take(self, deadline)
    if not frame then
      error(("waited for %s: %s after %d frames"):format(what, message, #self.passed), 2)
    end
    if predicate(frame) then
      return frame
    end
    self.passed[#self.passed + 1] = frame
  end
end

function Stream:see(what, predicate, seconds)
  local deadline = clock.deadline(seconds)
  while true do
    while self.seen < #self.ephemera do
      self.seen = self.seen + 1
      if predicate(self.ephemera[self.seen]) then
        return self.ephemera[self.seen]
      end
    end
    local ok, message = fill(self, deadline)
    if not ok then
      error(("waited for %s: %s after %d ephemeral frames"):format(what, message, #self.ephemera), 2)
    end
  end
end

function Stream:rest(seconds)
  local deadline, frames = clock.deadline(seconds), {}
  while true do
    local frame, message = take(self, deadline)
    if not frame then
      if message ~= "closed" then
        error("the stream does not end", 2)
      end
      return frames
    end
    frames[#frames + 1] = frame
  end
end

function Stream:is_ended(seconds)
  local deadline = clock.deadline(seconds)
  while true do
    local frame, message = take(self, deadline)
    if not frame then
      return message == "closed"
    end
    self.passed[#self.passed + 1] = frame
  end
end

function Stream:close()
  self.connection:close()
end

return sse
