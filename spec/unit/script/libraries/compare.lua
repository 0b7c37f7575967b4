--- Holds a function of ours against plain Lua's: same results, or an error from both.
---
---   local same = compare(real, ours)      same(name, ...) compares real[name](...) with ours[name](...)

local function show(value)
  if type(value) ~= "string" then
    return tostring(value)
  end
  return "'" .. value:gsub("[^%g ]", function(byte) return ("\\%03d"):format(byte:byte()) end) .. "'"
end

local function show_all(list)
  local parts = {}
  for i = 1, list.n do
    parts[i] = show(list[i])
  end
  return table.concat(parts, ", ")
end

local function is_same(a, b)
  if a[1] ~= b[1] then
    return false
  end
  if not a[1] then
    return true
  end
  for i = 2, math.max(a.n, b.n) do
    local both_nan = a[i] ~= a[i] and b[i] ~= b[i]
    if not both_nan and (a[i] ~= b[i] or math.type(a[i]) ~= math.type(b[i])) then
      return false
    end
  end
  return a.n == b.n
end

return function(real, ours)
  return function(name, ...)
    local expected, got = table.pack(pcall(real[name], ...)), table.pack(pcall(ours[name], ...))
    if not is_same(expected, got) then
      error(("%s(%s)\n  plain Lua: %s\n  here:      %s"):format(name, show_all(table.pack(...)), show_all(expected), show_all(got)), 2)
    end
    return expected
  end
end
