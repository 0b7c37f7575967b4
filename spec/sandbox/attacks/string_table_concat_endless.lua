-- tries: a list without an end, joined
-- expect: script_budget

return {
  attack = function(arg)
    return table.concat(setmetatable({}, { __index = function() return "" end }), "", 1, math.maxinteger - 1)
  end,
}
