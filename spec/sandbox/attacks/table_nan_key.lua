-- tries: a key that is not equal to itself
-- expect: script_failed

return {
  attack = function(arg)
    local t = {}
    t[0 / 0] = 1
    return t
  end,
}
