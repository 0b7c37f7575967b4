--- What bench/open_run, bench/op_cost and bench/idle_tls share: a gateway of their own, as its users start it, and medians. The processes
--- are the specs' to keep (spec/support/gateway.lua).
---
---   gateways.options(usage, defaults) → the defaults, changed by `--name value` of the command line; --help ends the program
---   gateways.start{env=, config=} → a gateway with one worker
---   gateways.query(run_id, more?) → the scope as a query
---   gateways.lines(connection, bearer, run_id, lines, in_flight?)    sends commands in batches, 8 in flight; an error unless all were
---                                                                    committed
---   gateways.timed(connection, request) → milliseconds until its answer is here, the answer
---   gateways.median(values) → the median; the lower of two
---   gateways.main(run)    runs it, ends what it started, and exits with 0 when it returned true

package.path = "spec/?.lua;lua/?.lua;" .. package.path

local clock = require("support.clock")
local gateway = require("support.gateway")
local http = require("support.http")

local gateways = {}

local BATCH = 64
local PATIENT = "return { limits = { idle_timeout_ms = 600000 } }" -- a connection may rest while another run is written

local function print_usage(usage, code)
  io.stderr:write(usage, "\n")
  os.exit(code)
end

function gateways.options(usage, defaults)
  local at = 1
  while arg[at] do
    local name, value = (arg[at]:match("^%-%-(%a+)$")), arg[at + 1]
    if name == "help" then
      print_usage(usage, 0)
    end
    local is_known = name and defaults[name] ~= nil
    value = is_known and type(defaults[name]) == "number" and math.tointeger(tonumber(value)) or is_known and value or nil
    if not value or type(value) ~= type(defaults[name]) then
      print_usage(usage, 2)
    end
    defaults[name] = value
    at = at + 2
  end
  return defaults
end

function gateways.start(more)
  more = more or {}
  local env = { ATOMS_LOG_LEVEL = "warn", ATOMS_WORKERS = 1 }
  for name, value in pairs(more.env or {}) do
    env[name] = value
  end
  gateway.bin = os.getenv("ATOMS_BIN") or "build/release/atoms"
  clock.seconds = 60
  return gateway.start({ env = env, config = more.config or PATIENT })
end

function gateways.query(run_id, more)
  local ids = { tenant_id = "acme", mode = "dev", project_id = "p1", surface_id = "bench", app_id = "bench", run_id = run_id }
  for name, value in pairs(more or {}) do
    ids[name] = value
  end
  return http.query(ids)
end

local function check(answer)
  local problem = answer.status ~= 200 and answer.body or answer.body:match('"status":"refused".*')
  assert(not problem, problem and problem:sub(1, 500))
end

function gateways.lines(connection, bearer, run_id, lines, in_flight)
  local batches = (#lines + BATCH - 1) // BATCH
  in_flight = in_flight or 8
  for i = 1, batches + in_flight do
    if i > in_flight then
      check(connection:response())
    end
    if i <= batches then
      connection:request({
        method = "POST",
        path = "/v1/commands" .. gateways.query(run_id),
        headers = { Authorization = "Bearer " .. bearer, ["Content-Type"] = "application/x-ndjson" },
        body = table.concat(lines, "\n", (i - 1) * BATCH + 1, math.min(i * BATCH, #lines)),
      })
    end
  end
end

function gateways.timed(connection, request)
  local from = clock.now()
  local answer = connection:call(request)
  local took_ms = 1000 * (clock.now() - from)
  assert(answer.status == 200, answer.body)
  return took_ms, answer
end

function gateways.median(values)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  return sorted[(#sorted + 1) // 2]
end

function gateways.main(run)
  local ok, result = xpcall(run, debug.traceback)
  local ended, fault = pcall(gateway.stop_all)
  if not ok or not ended then
    io.stderr:write(tostring(ok and fault or result), "\n")
    os.exit(2)
  end
  os.exit(result and 0 or 1)
end

return gateways
