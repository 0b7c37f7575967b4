-- The uploads of bench/chat: each token is a line of its own, and its text the time at which it was written, in microseconds.

package.path = "bench/?.lua;" .. package.path
local socket = require("socket")
local wire = require("chat_wire")

local uploads = {}
for i = 1, wire.streams do
  wire.post("/v1/chat", ('{%s,"command_id":"open-%d","args":{"message_id":"m%d","stream":true}}'):format(wire.scope, i, i))
end
for i = 1, wire.streams do
  uploads[i] = wire.connect()
  uploads[i]:send(wire.head("POST", ("/v1/chat/m%d/tokens"):format(i), "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked"))
end

local function write(upload, line)
  assert(upload:send(("%x\r\n%s\n\r\n"):format(#line + 1, line)))
end

-- Every stream has its own phase, so that tokens are spread over time as those of many models are.
local began, count = socket.gettime(), 0
local total = wire.streams * wire.rate * wire.seconds
while count < total do
  local due = math.min(total, math.floor((socket.gettime() - began) * wire.streams * wire.rate))
  while count < due do
    write(uploads[count % wire.streams + 1], ('{"text":"%d;"}'):format(math.floor(socket.gettime() * 1e6)))
    count = count + 1
  end
  socket.sleep(0.0005)
end
local took = socket.gettime() - began
for i = 1, wire.streams do
  write(uploads[i], '{"end":"done"}')
  uploads[i]:send("0\r\n\r\n")
end
for i = 1, wire.streams do
  local status, answer = wire.response(uploads[i])
  assert(status == 200, answer)
end
print(("%d streams, %d tokens in %.1f s: %.0f tokens/s"):format(wire.streams, total, took, total / took))
