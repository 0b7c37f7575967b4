-- tries: a finalizer that the metatable inherits
-- expect: result true

return {
  attack = function(arg)
    return setmetatable({}, setmetatable({}, { __index = { __gc = function() while true do end end } })) ~= nil
  end,
}
