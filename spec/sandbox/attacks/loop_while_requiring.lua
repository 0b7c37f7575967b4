-- tries: a loop in a module that is required
-- expect: script_budget

return {
  attack = function()
    return require("endless")
  end,
}
--@ module endless
local n = 0
repeat
  n = n + 1
until n < 0
return {}
