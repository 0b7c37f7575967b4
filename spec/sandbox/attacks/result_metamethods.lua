-- tries: a table that answers differently when it is read twice
-- expect: result {}

return {
  attack = function(arg)
    return setmetatable({}, { __index = function() return "x" end, __pairs = function() while true do end end, __len = function() return 1 << 60 end })
  end,
}
