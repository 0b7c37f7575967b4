--- Checks values against declared shapes. A failed check answers nil and a refusal, ready to be returned by a validator.

local schema = {}

--- @class atoms.Shape
--- @field type string "string", "integer", "number", "boolean", "list", "object" or "any"
--- @field optional? boolean may be absent
--- @field min? number the least number, the fewest code points or items
--- @field max? number the greatest number, the most code points or items
--- @field values? any[] the only values there are
--- @field items? atoms.Shape of a list
--- @field fields? table<string, atoms.Shape> of an object; others are refused

local function refuse(path, code, message, ...)
  return nil, { code = code, message = message:format(...), path = path }
end

local function is_list(value)
  if type(value) ~= "table" then
    return false
  end
  local count = 0
  for _ in pairs(value) do
    count = count + 1
  end
  return count == #value
end

local fits = {
  any = function(value)
    return value ~= nil
  end,
  string = function(value)
    return type(value) == "string"
  end,
  integer = function(value)
    return math.type(value) == "integer" or (type(value) == "number" and value == math.floor(value))
  end,
  number = function(value)
    return type(value) == "number"
  end,
  boolean = function(value)
    return type(value) == "boolean"
  end,
  list = is_list,
  object = function(value)
    return type(value) == "table"
  end,
}

local function size_of(shape, value)
  if shape.type == "string" then
    return utf8.len(value) or #value, "characters"
  end
  if shape.type == "list" then
    return #value, "items"
  end
  return type(value) == "number" and value or nil, ""
end

local function check_range(shape, value, path)
  local size, unit = size_of(shape, value)
  if size and shape.min and size < shape.min then
    return refuse(path, "too_small", "at least %s %s", shape.min, unit)
  end
  if size and shape.max and size > shape.max then
    return refuse(path, "too_large", "at most %s %s", shape.max, unit)
  end
  return true
end

local function check_values(shape, value, path)
  for _, one in ipairs(shape.values or { value }) do
    if one == value then
      return true
    end
  end
  return refuse(path, "not_one_of", "one of %s", table.concat(shape.values, ", "))
end

local check

local function check_items(shape, value, path)
  for index, item in ipairs(shape.items and value or {}) do
    local is_good, refusal = check(shape.items, item, path .. "/" .. (index - 1))
    if not is_good then
      return nil, refusal
    end
  end
  return true
end

local function check_fields(shape, value, path)
  for name in pairs(shape.fields and value or {}) do
    if not shape.fields[name] then
      return refuse(path .. "/" .. name, "unknown_member", "there is no such member")
    end
  end
  for name, field in pairs(shape.fields or {}) do
    local is_good, refusal = check(field, value[name], path .. "/" .. name)
    if not is_good then
      return nil, refusal
    end
  end
  return true
end

function check(shape, value, path)
  if value == nil and shape.optional then
    return true
  end
  if value == nil then
    return refuse(path, "missing_member", "this is required")
  end
  if not assert(fits[shape.type], "a shape of unknown type")(value) then
    return refuse(path, "bad_shape", "must be of type %s", shape.type)
  end
  for _, rule in ipairs({ check_range, check_values, check_items, check_fields }) do
    local is_good, refusal = rule(shape, value, path)
    if not is_good then
      return nil, refusal
    end
  end
  return true
end

--- Whether `value` is of that shape.
--- @param shape atoms.Shape
--- @param value any
--- @return true?, atoms.Refusal? codes: missing_member, unknown_member, bad_shape, too_small, too_large, not_one_of
function schema.check(shape, value)
  return check(shape, value, "")
end

return schema
