-- tries: to learn from a module that loads at this depth of calls that another call has loaded it
-- expect: result [true,true]

local function deep(n)
  if n == 0 then return (pcall(require, "helper")) end
  return select(2, pcall(deep, n - 1))
end
return {
  attack = function()
    local before = deep(180)
    require("helper")
    return { before, deep(180) }
  end,
}
--@ module helper
return { text = "x" }
