--- The table functions against plain Lua's.

local compare = require("compare")

--- A list by value, so that what a function did to it can be compared.
local function text_of(list)
  local parts = {}
  for i = -3, 14 do
    parts[#parts + 1] = tostring(list[i])
  end
  return table.concat(parts, ",")
end

--- The function on a copy of the list, then the list.
local function on_copy(functions, name)
  return function(list, ...)
    local copy = {}
    for key, value in pairs(list) do
      copy[key] = value
    end
    local results = table.pack(functions[name](copy, ...))
    for i = 1, results.n do
      results[i] = results[i] == copy and "itself" or results[i]
    end
    results[results.n + 1] = text_of(copy)
    return table.unpack(results, 1, results.n + 1)
  end
end

local NAMES = { "insert", "remove", "concat", "unpack", "move", "sort" }

local function all_on_copies(functions)
  local wrapped = {}
  for _, name in ipairs(NAMES) do
    wrapped[name] = on_copy(functions, name)
  end
  return wrapped
end

local function random_list(random)
  local list = {}
  for i = 1, random(0, 8) do
    list[i] = random(4) == 1 and ("s" .. random(9)) or random(20)
  end
  return list
end

local function sorts(ours, random)
  for _ = 1, 500 do
    local list, expected = {}, {}
    for i = 1, random(0, 60) do
      list[i] = random(1, 1000000)
      expected[i] = list[i]
    end
    ours.sort(list)
    table.sort(expected)
    assert(table.concat(list, ",") == table.concat(expected, ","))
    ours.sort(list, function(a, b) return a > b end)
    for i = 2, #list do
      assert(list[i - 1] >= list[i])
    end
    -- An order that contradicts itself moves values about and loses none.
    ours.sort(list, function() return random(2) == 1 end)
    table.sort(list)
    assert(table.concat(list, ",") == table.concat(expected, ","))
    ours.sort(list, function() return true end)
  end
  local pairs_of = { { 1, "a" }, { 0, "b" }, { 1, "c" }, { 0, "d" } }
  ours.sort(pairs_of, function(a, b) return a[1] < b[1] end)
  assert(pairs_of[1][2] == "b" and pairs_of[2][2] == "d" and pairs_of[3][2] == "a" and pairs_of[4][2] == "c", "not stable")
  local untouched = { 3, 2, 1 }
  assert(not pcall(ours.sort, untouched, error) and untouched[1] == 3 and untouched[3] == 1)
end

return function(real, ours, random)
  local same = compare(all_on_copies(real.table), all_on_copies(ours.table))
  local EXTREMES = { math.maxinteger, math.mininteger, 0, -1, 1, 1.5, "2", "x" }
  for _ = 1, 5000 do
    local list = random_list(random)
    same("insert", list, "new")
    same("insert", list, random(-1, 10), "new")
    same("remove", list)
    same("remove", list, random(-1, 10))
    same("concat", list, random(2) == 1 and "," or nil, random(-1, 4), random(0, 9))
    same("concat", list, ";")
    same("unpack", list, random(-2, 4), random(-2, 9))
    same("unpack", list)
    same("move", list, random(-2, 5), random(-2, 8), random(-2, 8))
    same("move", list, random(1, 3), random(1, 8), random(1, 4), {})
  end
  for _, extreme in ipairs(EXTREMES) do
    same("insert", { 1, 2 }, extreme, 3)
    same("remove", { 1, 2 }, extreme)
    same("unpack", { 1 }, math.maxinteger - 1, math.maxinteger)
    same("concat", { 1, 2 }, ",", extreme, extreme)
    same("move", { 1, 2 }, 1, 2, extreme)
  end
  same("insert", {})
  same("insert", {}, 1, 2, 3)
  same("sort", { 3, "x", 1 })
  same("sort", { 3, 2, 1 }, 1)
  same("concat", { {}, 1 })
  assert(not pcall(ours.table.insert, "no table", 1))
  assert(not pcall(ours.table.unpack, {}, 1, 5000))
  local packed = ours.table.pack(1, nil, 3, nil)
  assert(packed.n == 4 and packed[1] == 1 and packed[2] == nil and packed[3] == 3 and ours.table.pack().n == 0)
  sorts(ours.table, random)
end
