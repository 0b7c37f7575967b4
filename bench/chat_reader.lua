-- The reader of bench/chat: how old each token is when its bytes arrive, and whether each message is whole and in order.

package.path = "bench/?.lua;" .. package.path
local socket = require("socket")
local wire = require("chat_wire")

local connection = wire.connect()
assert(connection:send(wire.head("GET", "/v1/stream?cursor=now", "Accept: text/event-stream")))
connection:settimeout(0.2)

local delays, lengths, last, ended, events, shared, faults = {}, {}, {}, 0, 0, 0, 0

local function take_part(part, now)
  local id = part:match('"message_id":"([^"]+)"')
  local offset, text = part:match('"offset":(%d+),"text":"([^"]*)"')
  if not offset then
    ended = ended + 1
    return
  end
  if tonumber(offset) ~= (lengths[id] or 0) then
    faults = faults + 1
  end
  lengths[id] = tonumber(offset) + #text
  for stamp in text:gmatch("(%d+);") do
    local written = tonumber(stamp)
    if written < (last[id] or 0) then
      faults = faults + 1
    end
    last[id] = written
    delays[#delays + 1] = (now * 1e6 - written) / 1000
  end
end

local function take_event(block, now)
  if not block:find("^event: chat_token\n") then
    return
  end
  local first, many = nil, false
  events = events + 1
  for part in block:match('"parts":%[(.*)%]}'):gmatch("%b{}") do
    local id = part:match('"message_id":"([^"]+)"')
    many = many or (first ~= nil and first ~= id)
    first = first or id
    take_part(part, now)
  end
  shared = shared + (many and 1 or 0)
end

local pending, deadline = "", socket.gettime() + wire.seconds + 60
while ended < wire.streams and socket.gettime() < deadline do
  local ready = socket.select({ connection }, nil, 0.2)
  if #ready > 0 then
    connection:settimeout(0)
    local whole, _, partial = connection:receive(1 << 20)
    local now = socket.gettime()
    pending = pending .. (whole or partial)
    local at = 1
    while true do
      local stop = pending:find("\n\n", at, true)
      if not stop then
        break
      end
      take_event(pending:sub(at, stop), now)
      at = stop + 2
    end
    pending = pending:sub(at)
  end
end

table.sort(delays)
local function percentile(share)
  return delays[math.max(1, math.ceil(#delays * share))] or 0
end
local late = 0
for _, delay in ipairs(delays) do
  late = late + (delay > 50 and 1 or 0)
end
local expected = wire.streams * wire.rate * wire.seconds
print(("tokens %d of %d, faults %d; delay p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, max %.1f ms; over 50 ms: %d"):format(
  #delays, expected, faults, percentile(0.5), percentile(0.99), percentile(0.999), delays[#delays] or 0, late))
print(("events %d, %.1f tokens each; %d of them carry several messages"):format(events, #delays / math.max(1, events), shared))
os.exit(#delays == expected and faults == 0 and late * 1000 <= expected and 0 or 1)
