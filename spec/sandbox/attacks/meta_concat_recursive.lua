-- tries: __concat that joins again
-- expect: script_failed

return {
  attack = function(arg)
    local m
    m = { __concat = function(a, b) return a .. b end }
    return setmetatable({}, m) .. "x"
  end,
}
