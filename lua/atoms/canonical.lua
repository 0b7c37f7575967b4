--- Canonical JSON: no spaces, keys sorted by their UTF-8 bytes, numbers in shortest ECMAScript form, minimal escapes.
---
---   canonical.encode(value) → text      canonical.object(table) → text, also of an empty one
---   canonical.null                      set it to what the decoder uses for null
---   canonical.is_array(table)           set it to what the decoder can tell; at first a table with a [1] is an array

local canonical = { null = setmetatable({}, { __name = "null" }) }

--- @param value table
--- @return boolean
function canonical.is_array(value)
  return value[1] ~= nil
end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function escape(char)
  return ESCAPES[char] or ("\\u%04x"):format(char:byte())
end

local function encode_string(text)
  return '"' .. text:gsub('[\0-\31"\\]', escape) .. '"'
end

--- The fewest digits that read back the same, and the exponent of the first: value = 0.digits × 10^point.
local function shortest(value)
  for precision = 0, 16 do
    local text = ("%." .. precision .. "e"):format(value)
    if tonumber(text) == value then
      local digits, exponent = text:match("^([%d.]+)e([+-]%d+)$")
      return digits:gsub("%.", ""):gsub("0+$", ""), tonumber(exponent) + 1
    end
  end
end

--- ECMA-262, Number::toString.
local function encode_real(value)
  if value < 0 then
    return "-" .. encode_real(-value)
  end
  local digits, point = shortest(value)
  local count = #digits
  if count <= point and point <= 21 then
    return digits .. ("0"):rep(point - count)
  elseif 0 < point and point <= 21 then
    return digits:sub(1, point) .. "." .. digits:sub(point + 1)
  elseif -6 < point and point <= 0 then
    return "0." .. ("0"):rep(-point) .. digits
  end
  local exponent = ("e%s%d"):format(point > 0 and "+" or "-", math.abs(point - 1))
  return digits:sub(1, 1) .. (count > 1 and "." .. digits:sub(2) or "") .. exponent
end

local function encode_number(value)
  local integer = math.tointeger(value)
  if integer and math.abs(integer) <= 2 ^ 53 then
    return ("%d"):format(integer)
  end
  return encode_real(value)
end

local function encode_array(value)
  local parts = {}
  for i, item in ipairs(value) do
    parts[i] = canonical.encode(item)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

--- @param value table
--- @return string
function canonical.object(value)
  local names, parts = {}, {}
  for name in pairs(value) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    parts[i] = encode_string(name) .. ":" .. canonical.encode(value[name])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

--- @param value any
--- @return string
function canonical.encode(value)
  local kind = type(value)
  if value == nil or value == canonical.null then
    return "null"
  elseif kind == "table" then
    return canonical.is_array(value) and encode_array(value) or canonical.object(value)
  elseif kind == "string" then
    return encode_string(value)
  elseif kind == "number" then
    return encode_number(value)
  end
  return tostring(value)
end

return canonical
