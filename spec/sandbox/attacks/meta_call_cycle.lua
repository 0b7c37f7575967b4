-- tries: a table that is its own __call
-- expect: script_failed

return {
  attack = function(arg)
    local m = {}
    local t = setmetatable({}, m)
    m.__call = t
    return t()
  end,
}
