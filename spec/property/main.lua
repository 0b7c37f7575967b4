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

--- Schedules that share one life of a data folder, so that a million of them fit on a disk.
local CHAPTER = 5000

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

local totals = { schedules = 0, failed = 0, kills = 0, commands = 0, frames = 0, refused = 0, unnoticed = 0 }

-- ---- a chapter: one gateway and its schedules -----------------------------------------------------------------------------------------

local Chapter = {}
Chapter.__index = Chapter

local function open_chapter()
  local self = setmetatable({ bearers = {}, started = 0, ended = 0, kills = 0 }, Chapter)
  self.server = gateway.start({ config = TIGHT, env = { ATOMS_LOG_LEVEL = "warn" } })
  self.loop = reactor.new(function()
    return "127.0.0.1", self.server.port
  end)
  return self
end

function Chapter:bearer(claims)
  local known = self.bearers
  known[claims.actor] = known[claims.actor] or self.server:bearer({ actor = claims.actor, kind = claims.kind, tokens = claims.tokens,
    role = "editor", ttl = 86400 })
  return known[claims.actor]
end

function Chapter:on_end(seed, counts, ok, message)
  self.ended, totals.schedules = self.ended + 1, totals.schedules + 1
  for name, value in pairs(counts) do
    totals[name] = totals[name] + value
  end
  if not ok then
    totals.failed = totals.failed + 1
    print(("seed %d: %s"):format(seed, message))
  end
end

function Chapter:start(seed)
  local counts = {}
  self.started = self.started + 1
  self.loop:spawn(function(task)
    counts = play.run(self.loop, task, seed, {
      bearer = function(claims) return self:bearer(claims) end,
      fault = settings.fault, checks_order = settings.checks_order, prints = settings.prints,
    })
  end, function(_, ok, message)
    self:on_end(seed, counts, ok, message)
  end)
end

function Chapter:kill()
  self.kills, totals.kills = self.kills + 1, totals.kills + 1
  self.loop:break_all(function()
    self.server:kill()
    self.server:restart({ config = self.kills % 2 == 0 and TIGHT or SHIPPED })
  end)
end

--- A gateway that is gone has said why.
function Chapter:turn()
  local ok, message = pcall(self.loop.turn, self.loop)
  if not ok then
    print(("%s\nThe gateway's last words: %s"):format(message, self.server:errors():sub(-6000)))
    os.exit(false)
  end
end

--- Schedules number `from` to `upto`.
function Chapter:run(from, upto)
  local wanted = upto - from + 1
  while self.ended < wanted do
    while self.started < wanted and self.loop.count < settings.together do
      self:start(first + (from - 1 + self.started) * stride)
    end
    self:turn()
    if settings.kills > 0 and self.ended >= (self.kills + 1) * settings.kills then
      self:kill()
    end
  end
  gateway.stop_all()
end

-- ---- all ------------------------------------------------------------------------------------------------------------------------------

local began = socket.gettime()
for from = 1, count, CHAPTER do
  open_chapter():run(from, math.min(from + CHAPTER - 1, count))
end
local seconds = socket.gettime() - began

print(("%d schedules, %d failed: %d commands, %d refused, %d frames, %d kills, %.1f s, %.1f schedules/s"):format(
  totals.schedules, totals.failed, totals.commands, totals.refused, totals.frames, totals.kills, seconds, totals.schedules / seconds))
if settings.fault then
  print(("%d times %s went unnoticed"):format(totals.unnoticed, settings.fault))
end
os.exit(totals.failed == 0)
