--- Runs schedules against a gateway of its own, many at a time, and kills the gateway now and then.
---
---   lua5.4 spec/property/main.lua FIRST COUNT [STRIDE]     seeds FIRST, FIRST + STRIDE, …, COUNT of them
---
--- Environment: ATOMS_BIN (build/release/atoms); FAULT, a name of faults.lua, to see it found; PRINTS=1 to print every step; ORDER=0
--- leaves the order of events unchecked; PATIENCE, seconds that anything may take (30); KILLS, schedules between two kills (250; 0
--- none); TOGETHER, schedules at a time (24).
--- Prints one line for each schedule that failed, and a summary; exits with 1 when one failed.

package.path = "lua/?.lua;spec/?.lua;spec/?/init.lua;" .. package.path
local socket = require("socket")
local gateway = require("support.gateway")
local faults = require("property.faults")
local play = require("property.play")
local reactor = require("property.reactor")

gateway.bin = os.getenv("ATOMS_BIN") or "build/release/atoms"

local first, count, stride = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3] or 1)
assert(first and count, "usage: main.lua FIRST COUNT [STRIDE]")

--- Everything small, so that frames come from the spine and state from checkpoints; or as shipped.
local TIGHT = [[return { limits = { ring_bytes = 4096, block_cache_bytes = 1048576, view_idle_ms = 100, run_idle_ms = 100,
  checkpoint_events = 16, chat_lease_ms = 3600000 } }]]
local SHIPPED = "return { limits = { chat_lease_ms = 3600000 } }"

local settings = {
  fault = os.getenv("FAULT"),
  prints = os.getenv("PRINTS") == "1",
  kills = tonumber(os.getenv("KILLS") or 250),
  together = tonumber(os.getenv("TOGETHER") or 24),
  checks_order = os.getenv("ORDER") ~= "0",
}
reactor.patience = tonumber(os.getenv("PATIENCE") or reactor.patience)
if settings.fault == "transform" then
  faults.break_transform()
end

local server = gateway.start({ config = TIGHT, env = { ATOMS_LOG_LEVEL = "warn" } })
local loop = reactor.new(function()
  return "127.0.0.1", server.port
end)

local bearers = {}

local function bearer(claims)
  bearers[claims.actor] = bearers[claims.actor] or server:bearer({ actor = claims.actor, kind = claims.kind, tokens = claims.tokens,
    role = "editor", ttl = 86400 })
  return bearers[claims.actor]
end

local totals = { started = 0, ended = 0, failed = 0, kills = 0, commands = 0, frames = 0, refused = 0 }

local function start_next()
  local seed = first + totals.started * stride
  totals.started = totals.started + 1
  local counts = {}
  loop:spawn(function(task)
    counts = play.run(loop, task, seed, { bearer = bearer, fault = settings.fault, checks_order = settings.checks_order,
      prints = settings.prints })
  end, function(_, ok, message)
    totals.ended = totals.ended + 1
    for name, value in pairs(counts) do
      totals[name] = totals[name] + value
    end
    if not ok then
      totals.failed = totals.failed + 1
      print(("seed %d: %s"):format(seed, message))
    end
  end)
end

local function kill()
  totals.kills = totals.kills + 1
  loop:break_all(function()
    server:kill()
    server:restart({ config = totals.kills % 2 == 0 and TIGHT or SHIPPED })
  end)
end

local began, next_kill = socket.gettime(), settings.kills
while totals.ended < count do
  while totals.started < count and loop.count < settings.together do
    start_next()
  end
  loop:turn()
  if settings.kills > 0 and totals.ended >= next_kill then
    next_kill = next_kill + settings.kills
    kill()
  end
end
local seconds = socket.gettime() - began
gateway.stop_all()

print(("%d schedules, %d failed: %d commands, %d refused, %d frames, %d kills, %.1f s, %.1f schedules/s"):format(
  totals.ended, totals.failed, totals.commands, totals.refused, totals.frames, totals.kills, seconds, totals.ended / seconds))
os.exit(totals.failed == 0)
