-- tries: a metatable that is its own
-- expect: script_failed

return {
  attack = function(arg)
    local t = {}
    return setmetatable(t, t)
  end,
}
