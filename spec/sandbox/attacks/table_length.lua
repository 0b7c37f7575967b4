-- tries: a length that is a lie
-- expect: script_budget

return {
  attack = function(arg)
    table.insert(setmetatable({}, { __len = function() return 1 << 60 end }), 1, "x")
  end,
}
