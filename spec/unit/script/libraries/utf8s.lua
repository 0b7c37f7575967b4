--- The utf8 and math functions against plain Lua's.

local compare = require("compare")

local PIECES = { "a", "b", "\u{E4}", "\u{20AC}", "\u{1F600}", "\u{7FF}", "\u{800}", "\u{FFFF}", "\u{10FFFF}", "\u{110000}", "\u{7FFFFFFF}",
                 "\x80", "\xBF", "\xC0\x80",
                 "\xC2", "\xE2\x82", "\xED\xA0\x80", "\xF8\x88\x80\x80\x80", "\xFE", "\xFF", "\0" }

local function random_text(random)
  local parts = {}
  for i = 1, random(0, 5) do
    parts[i] = PIECES[random(#PIECES)]
  end
  return table.concat(parts)
end

local function collected(codes)
  return function(...)
    local all = {}
    for at, code in codes(...) do
      all[#all + 1] = at .. ":" .. code
    end
    return table.concat(all, " ")
  end
end

return function(real, ours, random)
  local same = compare(real.utf8, ours.utf8)
  local codes = compare({ codes = collected(real.utf8.codes) }, { codes = collected(ours.utf8.codes) })
  for _ = 1, 20000 do
    local text, lax = random_text(random), random(2) == 1
    local from, to = random(-6, 12), random(-6, 12)
    same("len", text, random(2) == 1 and from or nil, random(2) == 1 and to or nil, lax)
    same("codepoint", text, random(2) == 1 and from or nil, random(2) == 1 and to or nil, lax)
    same("offset", text, random(-5, 5), random(2) == 1 and from or nil)
    same("char", random(0, 0x200), random(0, 0x20000), random(0, 0x7FFFFFFF))
    -- Of what is no UTF-8 plain Lua passes over some, by version; here it is an error always.
    if real.utf8.len(text, 1, -1, lax) then
      codes("codes", text, lax)
    else
      assert(not pcall(collected(ours.utf8.codes), text, lax))
    end
  end
  same("char")
  same("char", -1)
  same("char", 0x80000000)
  same("len", "x", math.mininteger, math.maxinteger)
  same("codepoint", "x", math.mininteger)
  same("codepoint", "x", 1, math.maxinteger)
  same("offset", "x", math.mininteger)
  same("offset", "x", math.maxinteger)
  assert(ours.utf8.charpattern == real.utf8.charpattern)
  assert(not pcall(ours.utf8.codepoint, ("x"):rep(5000), 1, -1))

  assert(ours.math.random == nil and ours.math.randomseed == nil)
  local numbers = compare(real.math, ours.math)
  for _, name in ipairs({ "abs", "ceil", "floor", "sqrt", "exp", "log", "sin", "tointeger", "type", "modf" }) do
    for _, value in ipairs({ 0, 1, -1, 2.5, 1e300, math.mininteger, "7", "x", 1 / 0 }) do
      numbers(name, value)
    end
  end
end
