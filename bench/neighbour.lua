--- The other tenant of bench/victim: so many requests a second, whatever the answers, each by an actor of its own, so that a lens is asked
--- for; half of them are commands.
---   lua5.4 bench/neighbour.lua PORT TENANT SECRET REQUESTS_PER_S SECONDS

package.path = "spec/?.lua;lua/?.lua;" .. package.path

local socket = require("socket")

local clock = require("support.clock")
local http = require("support.http")
local jwt = require("support.jwt")

local port, tenant, secret = tonumber(arg[1]), arg[2], arg[3]
local per_s, seconds = tonumber(arg[4]), tonumber(arg[5])

local CONNECTIONS = 8
local scope = { tenant_id = tenant, mode = "dev", project_id = "p1", surface_id = "bench", app_id = "bench", run_id = "r1" }
local query = http.query(scope)

local function request(i)
  local bearer = jwt.hs256(jwt.claims({ tenant = tenant, actor = "a" .. i, role = "owner" }), secret)
  local headers = { Authorization = "Bearer " .. bearer }
  if i % 2 == 0 then
    return { path = "/v1/state" .. query, headers = headers }
  end
  headers["Content-Type"] = "application/x-ndjson"
  local body = ('{"command_id":"n%d","type":"canvas.mount","canvas_id":"c1","args":{"canvas_type":"planning"}}'):format(i)
  return { method = "POST", path = "/v1/commands" .. query, headers = headers, body = body }
end

--- Sends without waiting for the answers, which are read and thrown away as they come.
local function main()
  local connections, from = {}, clock.now()
  for i = 1, CONNECTIONS do
    connections[i] = http.connect({ port = port })
  end
  for i = 1, per_s * seconds do
    local connection = connections[i % CONNECTIONS + 1]
    connection:request(request(i))
    connection.raw:settimeout(0)
    connection.raw:receive(65536)
    socket.sleep(math.max(0, from + i / per_s - clock.now()))
  end
end

main()
