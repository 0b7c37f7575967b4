-- tries: to learn from a module that loads at this depth of calls that another call has loaded it
-- expect: result true

local function deep(n)
  if n == 0 then return (pcall(require, "helper")) end
  return select(2, pcall(deep, n - 1))
end
local function all()
  local answers = {}
  for n = 199, 100, -1 do answers[#answers + 1] = tostring(deep(n) == true) end
  return table.concat(answers, " ")
end
return {
  attack = function()
    local before = all()
    require("helper")
    return before == all()
  end,
}
--@ module helper
return { text = "x" }
