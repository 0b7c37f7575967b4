-- tries: the same by %0
-- expect: script_failed

return {
  attack = function(arg)
    local s = ("x"):rep(400000)
    return #s:gsub("x+", "%0%0%0")
  end,
}
