-- What the two halves of bench/chat share: the run, and HTTP written by hand.

local socket = require("socket")

local wire = {
  port = tonumber(os.getenv("PORT")),
  streams = tonumber(os.getenv("STREAMS")),
  rate = tonumber(os.getenv("RATE")),
  seconds = tonumber(os.getenv("TIME")),
}

local bearer = os.getenv("BEARER")
local query = "tenant_id=acme&mode=dev&project_id=bench&surface_id=bench&app_id=bench&run_id=chat"

function wire.connect()
  local connection = assert(socket.connect("127.0.0.1", wire.port))
  connection:setoption("tcp-nodelay", true)
  return connection
end

function wire.head(method, path, more)
  return ("%s %s%s%s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n%s\r\n\r\n"):format(
    method, path, path:find("?", 1, true) and "&" or "?", query, bearer, more)
end

--- Status and body of an answer with a length.
function wire.response(connection)
  local status, length = assert(connection:receive("*l")), 0
  repeat
    local line = assert(connection:receive("*l"))
    length = tonumber(line:match("^Content%-Length: (%d+)")) or length
  until line == ""
  return tonumber(status:match(" (%d+)")), connection:receive(length)
end

function wire.post(path, body)
  local connection = wire.connect()
  local more = "Content-Type: application/json\r\nConnection: close\r\nContent-Length: " .. #body
  assert(connection:send(wire.head("POST", path, more) .. body))
  local status, answer = wire.response(connection)
  connection:close()
  assert(status == 200, answer)
end

wire.scope = '"tenant_id":"acme","mode":"dev","project_id":"bench","surface_id":"bench","app_id":"bench","run_id":"chat"'

return wire
