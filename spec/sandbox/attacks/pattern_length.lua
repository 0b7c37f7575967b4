-- tries: a long pattern
-- expect: script_failed

return {
  attack = function(arg)
    return ("a"):find(("[a-z]"):rep(10000))
  end,
}
