--- same.difference(a, b) → nil when two JSON values are equal, else where they differ first, as a path and both values.

local same = {}

local function show(value)
  local text = type(value) == "table" and "a table" or tostring(value)
  return #text > 60 and text:sub(1, 60) .. "…" or text
end

local function sorted_keys(a, b)
  local keys, seen = {}, {}
  for _, source in ipairs({ a, b }) do
    for key in pairs(source) do
      if not seen[key] then
        keys[#keys + 1], seen[key] = key, true
      end
    end
  end
  table.sort(keys, function(x, y) return tostring(x) < tostring(y) end)
  return keys
end

function same.difference(a, b, path)
  path = path or ""
  if type(a) ~= "table" or type(b) ~= "table" then
    return a ~= b and ("%s is %s here, %s there"):format(path, show(a), show(b)) or nil
  end
  for _, key in ipairs(sorted_keys(a, b)) do
    local difference = same.difference(a[key], b[key], path .. "/" .. tostring(key))
    if difference then
      return difference
    end
  end
end

return same
