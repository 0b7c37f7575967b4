-- tries: a length that is a lie, sorted
-- expect: script_budget

return {
  attack = function(arg)
    table.sort(setmetatable({}, { __len = function() return (1 << 31) - 2 end }))
  end,
}
