-- tries: recursion through __tostring
-- expect: script_failed

return {
  attack = function(arg)
    local m
    m = { __tostring = function(t) return tostring(t) end }
    return tostring(setmetatable({}, m))
  end,
}
