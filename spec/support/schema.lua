--- Judges values by JSON Schema, in the subset that the documents in docs/ use. A keyword that is not known here is an error,
--- so that none is silently passed over.
---
---   schema.load{name=path, …} → documents             YAML files that may refer to each other by name
---   schema.at(documents, name, pointer) → schema, document
---   schema.judge(documents, name, schema, value) → nil, or where and why not
---
--- Values are those of json.decode: arrays, objects and null are told apart.

local lyaml = require("lyaml")
local json = require("support.json")
local pattern = require("support.pattern")
local shell = require("support.shell")

local schema = {}

function schema.load(paths)
  local documents = {}
  for name, path in pairs(paths) do
    documents[name] = lyaml.load(assert(shell.read(path), "there is no " .. path))
  end
  return documents
end

function schema.at(documents, name, pointer)
  local found = assert(documents[name], "no document " .. name)
  for step in pointer:gmatch("/([^/]+)") do
    step = step:gsub("~1", "/"):gsub("~0", "~")
    found = found[step]
    if found == nil then
      error(("%s has no %s"):format(name, pointer), 2)
    end
  end
  return found
end

local function type_of(value)
  if value == json.null then
    return "null"
  elseif type(value) == "table" then
    return json.is_array(value) and "array" or "object"
  end
  return type(value)
end

local function is_type(value, wanted)
  local actual = type_of(value)
  if wanted == "integer" then
    return actual == "number" and math.tointeger(value) ~= nil
  end
  return actual == wanted
end

local function is_equal(constant, value)
  if constant == lyaml.null then
    return value == json.null
  end
  return type(constant) == type(value) and constant == value
end

local judge

-- Each keyword: function(given, value, context, where, whole) → nil, or where and why
local keywords = {}

local ignored = { description = true, default = true, title = true, example = true }

function keywords.type(given, value, _, where)
  for _, one in ipairs(type(given) == "table" and given or { given }) do
    if is_type(value, one) then
      return nil
    end
  end
  return where, ("is %s, not %s"):format(type_of(value), type(given) == "table" and table.concat(given, " or ") or given)
end

function keywords.const(given, value, _, where)
  if not is_equal(given, value) then
    return where, ("is %s, not %s"):format(json.encode(value), tostring(given))
  end
end

function keywords.enum(given, value, _, where)
  for _, one in ipairs(given) do
    if is_equal(one, value) then
      return nil
    end
  end
  return where, json.encode(value) .. " is none of the values"
end

keywords["$ref"] = function(given, value, context, where)
  local name, pointer = given:match("^([^#]*)#(/.*)$")
  name = name ~= "" and name or context.name
  return judge({ documents = context.documents, name = name }, schema.at(context.documents, name, pointer), value, where)
end

function keywords.allOf(given, value, context, where)
  for _, one in ipairs(given) do
    local place, why = judge(context, one, value, where)
    if place then
      return place, why
    end
  end
end

function keywords.oneOf(given, value, context, where)
  local matched, reasons = 0, {}
  for _, one in ipairs(given) do
    local place, why = judge(context, one, value, where)
    matched = matched + (place and 0 or 1)
    reasons[#reasons + 1] = place and (place .. " " .. why)
  end
  if matched ~= 1 then
    return where, ("fits %d of its alternatives: %s"):format(matched, table.concat(reasons, "; "))
  end
end

keywords["not"] = function(given, value, context, where)
  if not judge(context, given, value, where) then
    return where, "is what it must not be"
  end
end

-- Keywords of one type say nothing about values of others.

local function for_objects(check)
  return function(given, value, context, where, whole)
    if json.is_object(value) then
      return check(given, value, context, where, whole)
    end
  end
end

local function count_of(value)
  local count = 0
  for _ in pairs(value) do
    count = count + 1
  end
  return count
end

keywords.required = for_objects(function(given, value, _, where)
  for _, name in ipairs(given) do
    if value[name] == nil then
      return where, "has no " .. name
    end
  end
end)

keywords.properties = for_objects(function(given, value, context, where)
  for name, one in pairs(given) do
    if value[name] ~= nil then
      local place, why = judge(context, one, value[name], where .. "/" .. name)
      if place then
        return place, why
      end
    end
  end
end)

keywords.additionalProperties = for_objects(function(given, value, context, where, whole)
  for name, item in pairs(value) do
    if not (whole.properties and whole.properties[name] ~= nil) then
      local place, why = judge(context, given, item, where .. "/" .. name)
      if place then
        return place, why
      end
    end
  end
end)

keywords.propertyNames = for_objects(function(given, value, context, where)
  for name in pairs(value) do
    local place, why = judge(context, given, name, where .. "/" .. name)
    if place then
      return place, "as a name " .. why
    end
  end
end)

keywords.dependentRequired = for_objects(function(given, value, _, where)
  for name, others in pairs(given) do
    for _, other in ipairs(value[name] ~= nil and others or {}) do
      if value[other] == nil then
        return where, ("has %s without %s"):format(name, other)
      end
    end
  end
end)

keywords.minProperties = for_objects(function(given, value, _, where)
  if count_of(value) < given then
    return where, "has too few members"
  end
end)

keywords.maxProperties = for_objects(function(given, value, _, where)
  if count_of(value) > given then
    return where, "has too many members"
  end
end)

local function for_arrays(check)
  return function(given, value, context, where)
    if json.is_array(value) then
      return check(given, value, context, where)
    end
  end
end

keywords.items = for_arrays(function(given, value, context, where)
  for i, item in ipairs(value) do
    local place, why = judge(context, given, item, where .. "/" .. (i - 1))
    if place then
      return place, why
    end
  end
end)

keywords.minItems = for_arrays(function(given, value, _, where)
  if #value < given then
    return where, "has too few items"
  end
end)

keywords.maxItems = for_arrays(function(given, value, _, where)
  if #value > given then
    return where, "has too many items"
  end
end)

keywords.uniqueItems = for_arrays(function(_, value, _, where)
  local seen = {}
  for _, item in ipairs(value) do
    local text = json.encode(item)
    if seen[text] then
      return where, "holds an item twice"
    end
    seen[text] = true
  end
end)

local function for_type(wanted, is_wrong, what)
  return function(given, value, _, where)
    if type(value) == wanted and is_wrong(value, given) then
      return where, ("%s %s %s"):format(json.encode(value), what, tostring(given))
    end
  end
end

keywords.pattern = for_type("string", function(value, given) return not pattern.matches(given, value) end, "does not match")
keywords.minLength = for_type("string", function(value, given) return utf8.len(value) < given end, "is shorter than")
keywords.maxLength = for_type("string", function(value, given) return utf8.len(value) > given end, "is longer than")
keywords.minimum = for_type("number", function(value, given) return value < given end, "is below")
keywords.maximum = for_type("number", function(value, given) return value > given end, "is above")
keywords.exclusiveMinimum = for_type("number", function(value, given) return value <= given end, "is not above")

function judge(context, given, value, where)
  if given == true then
    return nil
  elseif given == false then
    return where, "may not be there"
  end
  for name, argument in pairs(given) do
    local check = keywords[name]
    if not check and not ignored[name] then
      error("a keyword that is not known here: " .. tostring(name))
    end
    if check then
      local place, why = check(argument, value, context, where, given)
      if place then
        return place, why
      end
    end
  end
end

function schema.judge(documents, name, given, value)
  return judge({ documents = documents, name = name }, given, value, "")
end

return schema
