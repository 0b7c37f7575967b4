-- tries: __pairs without an end
-- expect: script_budget

return {
  attack = function(arg)
    local n = 0
    for _ in pairs(setmetatable({}, { __pairs = function() return function() return 1 end end })) do n = n + 1 end
    return n
  end,
}
