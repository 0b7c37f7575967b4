-- tries: two tables that are each other's __index
-- expect: script_failed

return {
  attack = function(arg)
    local a, b = {}, {}
    setmetatable(a, { __index = b })
    setmetatable(b, { __index = a })
    return a.x
  end,
}
