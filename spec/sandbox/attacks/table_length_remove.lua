-- tries: a length that is a lie, removed from
-- expect: script_budget

return {
  attack = function(arg)
    table.remove(setmetatable({}, { __len = function() return 1 << 60 end }), 1)
  end,
}
