--- find, match, gmatch and gsub against plain Lua's over random patterns and subjects. Small ones: there every turn of a pattern meets
--- every turn of a subject.

local compare = require("compare")

local ATOMS = { "a", "b", "a", "b", ".", "%a", "%d", "%s", "%w", "%x", "%p", "%u", "%l", "%c", "%g",
                "%A", "%D", "%S", "%W", "%.", "%%", "[ab]", "[^ab]",
                "[a-c]", "[%d_]", "[^%s]", "[]]", "[^]]", "[a-]", "[%a-z]", "[]-a]", "[a-%%]",
                "-", "1", " ", "_", "\xE4", "\0", "^", "$", "%-", "%Q" }
local SPECIAL = { "(", ")", "(", ")", "()", "%1", "%2", "%b()", "%bab", "%baa", "%f[a]", "%f[%w]", "%f[^%w]", "%f[%z]", "%f[\0]" }
local MALFORMED = { "[", "[^", "%", "%b", "%ba", "%f", "%fa", "[a", "[a%", "%9", "%0", ")", "[]", "[%a" }
local QUANTIFIERS = { "", "", "", "*", "+", "-", "?" }
local SUBJECT = { "a", "b", "a", "b", "c", "1", "2", " ", "_", "(", ")", "A", ".", "-", "]", "%", "\xE4", "\0", "\n", "^", "$" }

local function pick(random, list)
  return list[random(#list)]
end

local function random_pattern(random)
  local parts = { random(6) == 1 and "^" or "" }
  for _ = 1, random(0, 5) do
    local kind = random(12)
    if kind == 1 and random(4) == 1 then
      parts[#parts + 1] = pick(random, MALFORMED)
    elseif kind <= 4 then
      parts[#parts + 1] = pick(random, SPECIAL)
    else
      parts[#parts + 1] = pick(random, ATOMS) .. pick(random, QUANTIFIERS)
    end
  end
  parts[#parts + 1] = random(6) == 1 and "$" or ""
  local pattern = table.concat(parts)
  -- Half of them closed, so that captures are as often right as wrong.
  if random(2) == 1 then
    local open = select(2, pattern:gsub("%(%f[^%)]", "")) - select(2, pattern:gsub("[^%(]%)", ""))
    pattern = pattern .. (")"):rep(math.max(0, open))
  end
  return pattern
end

local function random_subject(random, most)
  local parts = {}
  for i = 1, random(0, most) do
    parts[i] = pick(random, SUBJECT)
  end
  return table.concat(parts)
end

--- All that an iterator gives, and how it ends.
local function collect(gmatch, subject, pattern, init)
  local all = { n = 0 }
  local ok = pcall(function()
    for a, b, c in gmatch(subject, pattern, init) do
      for _, value in ipairs({ tostring(a), tostring(b), tostring(c) }) do
        all[#all + 1] = value
      end
      assert(#all < 1000, "an iterator without an end")
    end
  end)
  return tostring(ok) .. ":" .. (ok and table.concat(all, "|") or "")
end

local REPLACEMENTS = { "", "x", "<%0>", "%1", "%2%1", "%%", "%", "%a", 7 }

local function replacement(random)
  local kind = random(4)
  if kind == 1 then
    return { a = "A", b = false, ab = 12, [1] = "one", [""] = "empty" }
  elseif kind == 2 then
    return function(a, b)
      return a ~= "b" and tostring(a) .. tostring(b) or nil
    end
  end
  return pick(random, REPLACEMENTS)
end

--- Plain Lua finds an unfinished capture only where one is asked for; here it always is.
local function is_unfinished(ours, subject, pattern)
  local _, message = pcall(ours.gsub, subject, pattern, "")
  return type(message) == "string" and message:find("unfinished capture", 1, true) ~= nil
end

return function(real, ours, random)
  local same = compare(real.string, ours.string)
  local wrapped = compare({ gmatch = function(...) return collect(real.string.gmatch, ...) end },
                          { gmatch = function(...) return collect(ours.string.gmatch, ...) end })
  local found = 0
  for _ = 1, 60000 do
    local subject, pattern = random_subject(random, 12), random_pattern(random)
    local init = random(4) == 1 and random(-8, 14) or nil
    local result = same("find", subject, pattern, init)
    found = found + (result[1] and result[2] and 1 or 0)
    same("match", subject, pattern, init)
    wrapped("gmatch", subject, pattern, init)
    same("find", subject, pattern, init, true)
    if not is_unfinished(ours.string, subject, pattern) then
      same("gsub", subject, pattern, replacement(random), random(4) == 1 and random(-1, 4) or nil)
    end
  end
  assert(found > 10000, "most patterns found nothing: " .. found)
end
