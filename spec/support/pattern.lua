--- The few regular expressions that the schemas use: literals, classes, {m,n} {n} * + ?, anchored at both ends. Anything else is an error,
--- so that no pattern is taken for another.
---
---   pattern.matches(expression, text)

local pattern = {}

local compiled = {}

local function parse_class(expression, at)
  local set = {}
  while expression:sub(at, at) ~= "]" do
    local low, high = expression:match("^([%w])%-([%w])", at)
    if low then
      for byte = low:byte(), high:byte() do
        set[string.char(byte)] = true
      end
      at = at + 3
    else
      local char = expression:sub(at, at)
      assert(char ~= "" and char ~= "\\" and char ~= "^", "a class that is not known here: " .. expression)
      set[char] = true
      at = at + 1
    end
  end
  return set, at + 1
end

local function parse_atom(expression, at)
  local char = expression:sub(at, at)
  if char == "[" then
    return parse_class(expression, at + 1)
  elseif char == "\\" then
    return { [expression:sub(at + 1, at + 1)] = true }, at + 2
  end
  assert(not char:find("[.()|^$*+?{}]"), "an expression that is not known here: " .. expression)
  return { [char] = true }, at + 1
end

local function parse_count(expression, at)
  local low, high, stop = expression:match("^{(%d+),?(%d*)}()", at)
  if low then
    local is_exact = not expression:sub(at, stop):find(",", 1, true)
    return tonumber(low), is_exact and tonumber(low) or tonumber(high) or math.huge, stop
  end
  local sign = expression:sub(at, at)
  if sign == "*" or sign == "+" then
    return sign == "+" and 1 or 0, math.huge, at + 1
  elseif sign == "?" then
    return 0, 1, at + 1
  end
  return 1, 1, at
end

local function compile(expression)
  local body = assert(expression:match("^%^(.*)%$$"), "an expression that is not anchored: " .. expression)
  local parts, at = {}, 1
  while at <= #body do
    local part = {}
    part.set, at = parse_atom(body, at)
    part.low, part.high, at = parse_count(body, at)
    parts[#parts + 1] = part
  end
  return parts
end

local function match_from(parts, index, text, at)
  local part = parts[index]
  if not part then
    return at > #text
  end
  local count = 0
  while count < part.high and part.set[text:sub(at + count, at + count)] do
    count = count + 1
  end
  for taken = count, part.low, -1 do
    if match_from(parts, index + 1, text, at + taken) then
      return true
    end
  end
  return false
end

function pattern.matches(expression, text)
  compiled[expression] = compiled[expression] or compile(expression)
  return match_from(compiled[expression], 1, text, 1)
end

return pattern
