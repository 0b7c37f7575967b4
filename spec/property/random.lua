--- Random numbers that belong to one schedule: the same seed, the same numbers, whatever else runs beside it.
---
---   local dice = random.new(seed)
---   dice:int(low, high)    dice:chance(percent)    dice:pick(list) → nil of none    dice:weighted{name = weight, …} → name
---   dice:seed()            a new seed, for another generator

local random = {}

local Random = {}
Random.__index = Random

--- xorshift64*, started by splitmix64 so that neighbouring seeds have nothing in common.
function random.new(seed)
  local z = seed + 0x9e3779b97f4a7c15
  z = (z ~ (z >> 30)) * 0xbf58476d1ce4e5b9
  z = (z ~ (z >> 27)) * 0x94d049bb133111eb
  z = z ~ (z >> 31)
  return setmetatable({ x = z ~= 0 and z or 1 }, Random)
end

local function step(self)
  local x = self.x
  x = x ~ (x >> 12)
  x = x ~ (x << 25)
  x = x ~ (x >> 27)
  self.x = x
  return (x * 0x2545f4914f6cdd1d) >> 33
end

function Random:int(low, high)
  return low + step(self) % (high - low + 1)
end

function Random:chance(percent)
  return step(self) % 100 < percent
end

function Random:pick(list)
  return #list > 0 and list[self:int(1, #list)] or nil
end

function Random:seed()
  return step(self)
end

local sorted = setmetatable({}, { __mode = "k" })

--- Names in one order: a table's own is another in each process.
local function names_of(weights)
  if not sorted[weights] then
    local names, total = {}, 0
    for name, weight in pairs(weights) do
      names[#names + 1], total = name, total + weight
    end
    table.sort(names)
    sorted[weights] = { names = names, total = total }
  end
  return sorted[weights]
end

function Random:weighted(weights)
  local list = names_of(weights)
  local at = self:int(1, list.total)
  for _, name in ipairs(list.names) do
    at = at - weights[name]
    if at <= 0 then
      return name
    end
  end
end

return random
