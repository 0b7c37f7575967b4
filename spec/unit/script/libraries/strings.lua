--- The other string functions against plain Lua's.

local compare = require("compare")

local NUMBERS = { 0, 1, -1, 42, -17, 1.5, -0.0, 1e15, 1e100, 1e308, 2 ^ 53, 2 ^ 63, 1 / 0, -1 / 0, 0 / 0, math.maxinteger,
                  math.mininteger, "10", " 0x1p4 ", "x", "", true }
local FLAGS = { "", "", "", "-", "+", " ", "#", "0", "-+", "+0", "-#", "0-", "++" }
local WIDTHS = { "", "", "1", "5", "10", "99", "100", "07" }
local PRECISIONS = { "", "", ".", ".0", ".3", ".20", ".99", ".100", ".-1" }
local LETTERS = { "d", "i", "c", "x", "X", "o", "a", "A", "e", "E", "f", "F", "g", "G", "s", "u", "y", "n", "" }

local function pick(random, list)
  return list[random(#list)]
end

local function random_text(random, most)
  local bytes = {}
  for i = 1, random(0, most) do
    bytes[i] = string.char(random(0, 255))
  end
  return table.concat(bytes)
end

local function formats(same, random)
  for _ = 1, 30000 do
    local letter = pick(random, LETTERS)
    local flags, width, precision = pick(random, FLAGS), pick(random, WIDTHS), pick(random, PRECISIONS)
    local value = letter == "s" and pick(random, { "text", "", ("long"):rep(40), 12, 1.5, true, nil }) or pick(random, NUMBERS)
    same("format", "<%" .. flags .. width .. precision .. letter .. ">%%", value)
  end
  same("format", "%s and %d")
  same("format", "%")
  same("format", "no more", 1)
end

local function slices(same, random)
  for _ = 1, 5000 do
    local text, from, to = random_text(random, 8), random(-12, 12), random(-12, 12)
    same("sub", text, from, to)
    same("sub", text, from)
    same("byte", text, from, to)
    same("byte", text, from)
    same("rep", text, random(-1, 5), random_text(random, 3))
    same("reverse", text)
    same("len", text)
    same("upper", text)
    same("lower", text)
    same("char", random(-2, 257), random(0, 255))
  end
  for _, extreme in ipairs({ math.mininteger, math.maxinteger, 0, 1.5, "2", "x" }) do
    same("sub", "hello", extreme)
    same("sub", "hello", 1, extreme)
    same("byte", "hello", extreme)
    same("byte", "hello", 1, extreme)
    same("find", "hello", "l", extreme)
    same("char", extreme)
  end
  same("rep", "x")
  same("byte", "")
  same("char")
  same("upper", {})
end

return function(real, ours, random)
  local same = compare(real.string, ours.string)
  formats(same, random)
  slices(same, random)
  assert(ours.string.dump == nil and ours.string.pack == nil and ours.string.unpack == nil and ours.string.packsize == nil)
  for _, unwanted in ipairs({ {}, print, coroutine.create(print) }) do
    assert(not pcall(ours.string.format, "%s", unwanted), "the address of a value became text")
  end
  assert(not pcall(ours.string.format, "%p", {}))
  assert(not pcall(ours.string.rep, "x", 2 ^ 20), "a string beyond the limit")
  assert(ours.string.rep("", 1 << 62) == "", "plain Lua counts to 2^62 here")
  assert(#ours.string.rep("x", 512 * 1024) == 512 * 1024)
  assert(getmetatable("") == false and ("x"):rep(3) == "xxx" and "10" + 1 == 11 and -"2" == -2 and "3" * "4" == 12 and 7 // "2" == 3)
  assert(not pcall(function() return "x" + 1 end) and not pcall(function() return {} + "1" end))
  assert(setmetatable({}, { __add = function() return "mine" end }) + "1" == "mine")
  assert("1" + setmetatable({}, { __add = function() return "mine" end }) == "mine")
end
