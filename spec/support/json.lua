--- JSON for specs: [] and {} stay apart, null is a value, integers stay integers, duplicate keys are an error.
---
---   json.decode(text)        value, or nil and a message; the whole text must be one value
---   json.must(text)          value, or an error
---   json.encode(value)       text; a table is an array when json.array made it or it has a [1]; members sorted by name
---   json.array(t?) json.object(t?)   mark a table (decode marks its own)
---   json.is_array(t)         also true of an unmarked table with a [1]
---   json.null

local json = {}

local array_mark = { __name = "json array" }
local object_mark = { __name = "json object" }
json.null = setmetatable({}, { __name = "json null", __tostring = function() return "null" end })

function json.array(t)
  return setmetatable(t or {}, array_mark)
end

function json.object(t)
  return setmetatable(t or {}, object_mark)
end

function json.is_array(t)
  if type(t) ~= "table" or t == json.null then
    return false
  end
  local mark = getmetatable(t)
  return mark == array_mark or (mark ~= object_mark and t[1] ~= nil)
end

function json.is_object(t)
  return type(t) == "table" and t ~= json.null and not json.is_array(t)
end

-- ---- decoding -------------------------------------------------------------------------------------------------------------------------

local function fail(at, what)
  error({ json_error = ("%s at byte %d"):format(what, at) }, 0)
end

local function skip(text, at)
  return text:find("[^ \t\r\n]", at) or #text + 1
end

local escapes = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

local function decode_unicode(text, at)
  local hex = text:match("^%x%x%x%x", at) or fail(at, "bad \\u escape")
  local code = tonumber(hex, 16)
  if code >= 0xD800 and code <= 0xDBFF then
    local low = text:match("^\\u(%x%x%x%x)", at + 4)
    low = low and tonumber(low, 16) or 0
    if low < 0xDC00 or low > 0xDFFF then
      fail(at, "lone surrogate")
    end
    return utf8.char(0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00)), at + 10
  end
  if code >= 0xDC00 and code <= 0xDFFF then
    fail(at, "lone surrogate")
  end
  return utf8.char(code), at + 4
end

local function decode_string(text, at)
  local parts = {}
  local from = at + 1
  while true do
    local stop = text:find('[%z\1-\31"\\]', from) or fail(#text, "unended string")
    parts[#parts + 1] = text:sub(from, stop - 1)
    local char = text:sub(stop, stop)
    if char == '"' then
      return table.concat(parts), stop + 1
    elseif char ~= "\\" then
      fail(stop, "control character in a string")
    end
    local escape = text:sub(stop + 1, stop + 1)
    if escape == "u" then
      parts[#parts + 1], from = decode_unicode(text, stop + 2)
    else
      parts[#parts + 1] = escapes[escape] or fail(stop, "bad escape")
      from = stop + 2
    end
  end
end

local function decode_number(text, at)
  local whole = text:match("^-?%d+", at) or fail(at, "unexpected character")
  if whole:find("^-?0%d") then
    fail(at, "leading zero")
  end
  local stop = at + #whole
  local fraction = text:match("^%.%d+", stop) or ""
  local exponent = text:match("^[eE][+-]?%d+", stop + #fraction) or ""
  local literal = whole .. fraction .. exponent
  return math.tointeger(tonumber(literal)) and #fraction + #exponent == 0 and math.tointeger(tonumber(literal)) or tonumber(literal),
    at + #literal
end

local decode_value

local function decode_array(text, at, depth)
  local items = json.array()
  at = skip(text, at + 1)
  if text:sub(at, at) == "]" then
    return items, at + 1
  end
  while true do
    items[#items + 1], at = decode_value(text, at, depth)
    at = skip(text, at)
    local char = text:sub(at, at)
    if char == "]" then
      return items, at + 1
    elseif char ~= "," then
      fail(at, "expected , or ]")
    end
    at = skip(text, at + 1)
  end
end

local function decode_object(text, at, depth)
  local members = json.object()
  at = skip(text, at + 1)
  if text:sub(at, at) == "}" then
    return members, at + 1
  end
  while true do
    if text:sub(at, at) ~= '"' then
      fail(at, "expected a member's name")
    end
    local name
    name, at = decode_string(text, at)
    at = skip(text, at)
    if text:sub(at, at) ~= ":" then
      fail(at, "expected :")
    end
    if members[name] ~= nil then
      fail(at, "duplicate member " .. name)
    end
    members[name], at = decode_value(text, skip(text, at + 1), depth)
    at = skip(text, at)
    local char = text:sub(at, at)
    if char == "}" then
      return members, at + 1
    elseif char ~= "," then
      fail(at, "expected , or }")
    end
    at = skip(text, at + 1)
  end
end

local words = { t = { "true", true }, f = { "false", false }, n = { "null", json.null } }

function decode_value(text, at, depth)
  if depth > 200 then
    fail(at, "too deep")
  end
  local char = text:sub(at, at)
  if char == "{" then
    return decode_object(text, at, depth + 1)
  elseif char == "[" then
    return decode_array(text, at, depth + 1)
  elseif char == '"' then
    return decode_string(text, at)
  end
  local word = words[char]
  if word and text:sub(at, at + #word[1] - 1) == word[1] then
    return word[2], at + #word[1]
  end
  return decode_number(text, at)
end

function json.decode(text)
  local ok, value, at = pcall(function()
    if not utf8.len(text) then
      fail(1, "bad UTF-8")
    end
    return decode_value(text, skip(text, 1), 0)
  end)
  if not ok then
    if type(value) ~= "table" then
      error(value, 0)
    end
    return nil, value.json_error
  end
  if skip(text, at) <= #text then
    return nil, "something follows the value at byte " .. at
  end
  return value
end

function json.must(text)
  local value, message = json.decode(text)
  if value == nil then
    error(("no JSON (%s): %s"):format(message, text:sub(1, 400)), 2)
  end
  return value
end

-- ---- encoding -------------------------------------------------------------------------------------------------------------------------

local function encode_string(text)
  return '"' .. text:gsub('[%c"\\\127]', function(char)
    local short = ({ ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r" })[char]
    return short or ("\\u%04x"):format(char:byte())
  end) .. '"'
end

local function encode_number(value)
  if math.type(value) == "integer" then
    return ("%d"):format(value)
  end
  assert(value == value and value ~= math.huge and value ~= -math.huge, "no JSON number")
  local text = ("%.17g"):format(value)
  return tonumber(("%.15g"):format(value)) == value and ("%.15g"):format(value) or text
end

local function encode_table(value)
  local parts = {}
  if json.is_array(value) then
    for _, item in ipairs(value) do
      parts[#parts + 1] = json.encode(item)
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local names = {}
  for name in pairs(value) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    parts[#parts + 1] = encode_string(name) .. ":" .. json.encode(value[name])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function json.encode(value)
  local kind = type(value)
  if value == json.null or value == nil then
    return "null"
  elseif kind == "table" then
    return encode_table(value)
  elseif kind == "string" then
    return encode_string(value)
  elseif kind == "number" then
    return encode_number(value)
  end
  return tostring(value)
end

return json
