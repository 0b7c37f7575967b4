-- tries: each byte as a value on the stack
-- expect: script_failed

return {
  attack = function(arg)
    return #{ (("x"):rep(500000)):byte(1, -1) }
  end,
}
