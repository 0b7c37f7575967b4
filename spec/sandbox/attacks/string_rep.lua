-- tries: a repeated string of 10 GB
-- expect: script_failed

return {
  attack = function(arg)
    return #(("x"):rep(1e10))
  end,
}
