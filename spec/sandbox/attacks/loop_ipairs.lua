-- tries: a list without an end
-- expect: script_budget

return {
  attack = function(arg)
    local n = 0
    for _ in ipairs(setmetatable({}, { __index = function() return 1 end })) do n = n + 1 end
    return n
  end,
}
