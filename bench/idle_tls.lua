-- The streams of bench/idle_tls, held open by one process.

package.path = "bench/?.lua;" .. package.path
local gateways = require("gateways")
local clock = require("support.clock")
local shell = require("support.shell")
local socket = require("socket")

local options = gateways.options("bench/idle_tls [--streams 4000]", { streams = 4000 })
local WARM = 100 -- streams before the first weighing: what the process needs once is not counted

--- A key and a certificate for the loopback address, and the environment that makes a gateway use them.
local function make_certificate()
  local folder = shell.folder()
  local env = { ATOMS_TLS_CERT = folder .. "/cert.pem", ATOMS_TLS_KEY = folder .. "/key.pem" }
  shell.must({ "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-keyout", env.ATOMS_TLS_KEY, "-out", env.ATOMS_TLS_CERT, "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1" })
  return env
end

local function rss_bytes(gateway)
  return 1024 * tonumber(shell.read(("/proc/%d/status"):format(gateway.pid)):match("VmRSS:%s+(%d+)"))
end

local function open_streams(gateway, request, count, streams)
  for _ = 1, count do
    local stream = gateway:connect()
    stream:request(request)
    assert(stream:response_head().status == 200)
    assert(stream:read_some(clock.deadline()):find("event: resume", 1, true))
    streams[#streams + 1] = stream
  end
end

local function measure(env)
  local gateway = gateways.start({ env = env, config = "return { limits = { max_connections = 60000, max_streams_per_actor = 60000 } }" })
  gateway.base.tls, gateway.base.cafile = env.ATOMS_TLS_CERT ~= nil, env.ATOMS_TLS_CERT
  local bearer = gateway:minted({ "--tenant", "acme", "--actor", "bench", "--role", "owner" })
  local connection = gateway:connect()
  gateways.lines(connection, bearer, "r", { '{"command_id":"m","type":"canvas.mount","canvas_id":"c1","args":{"canvas_type":"planning"}}' })
  connection:close()
  local request = { path = "/v1/stream" .. gateways.query("r", { cursor = "now" }), headers = { Authorization = "Bearer " .. bearer } }
  local streams = {}
  open_streams(gateway, request, WARM, streams)
  socket.sleep(1)
  local before = rss_bytes(gateway)
  open_streams(gateway, request, options.streams, streams)
  socket.sleep(2)
  local bytes = (rss_bytes(gateway) - before) / options.streams
  for _, stream in ipairs(streams) do
    stream:close()
  end
  gateway:stop(60)
  return bytes
end

gateways.main(function()
  local plain = measure({})
  local tls = measure(make_certificate())
  print(("| an idle stream, of %d | plain | TLS |\n| --- | --- | --- |"):format(options.streams))
  print(("| server memory, bytes | %.0f | %.0f |"):format(plain, tls))
  return true
end)
