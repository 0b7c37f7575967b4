-- tries: __eq that compares again
-- expect: script_failed

return {
  attack = function(arg)
    local m = { __eq = function(a, b) return a == b end }
    return setmetatable({}, m) == setmetatable({}, m)
  end,
}
