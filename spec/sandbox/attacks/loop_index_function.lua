-- tries: a metamethod without an end
-- expect: script_budget

return {
  attack = function(arg)
    return setmetatable({}, { __index = function() while true do end end }).x
  end,
}
