-- tries: __index that indexes again
-- expect: script_failed

return {
  attack = function(arg)
    return setmetatable({}, { __index = function(t, k) return t[k .. "x"] end }).x
  end,
}
