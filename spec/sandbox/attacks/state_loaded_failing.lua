-- tries: the same with a module that loads at some depths only
-- expect: result [false,false]

local function deep(n)
  if n == 0 then return (pcall(require, "helper")) end
  return select(2, pcall(deep, n - 1))
end
return {
  attack = function()
    local before = deep(1)
    return { before, deep(150) }
  end,
}
--@ module helper
local function depth(n)
  local ok, deeper = pcall(function() return depth(n + 1) end)
  return ok and deeper or n
end
if depth(1) > 100 then error("too much room") end
return {}
