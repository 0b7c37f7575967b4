-- tries: __metatable that lies
-- expect: result "lie"

return {
  attack = function(arg)
    return getmetatable(setmetatable({}, { __metatable = "lie" }))
  end,
}
