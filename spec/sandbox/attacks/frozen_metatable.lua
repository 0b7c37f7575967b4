-- tries: another metatable for a frozen table
-- expect: script_failed

local list = { 1, 2 }

return {
  attack = function(arg)
    setmetatable(list, { __index = function() return "mine" end })
  end,
}
