-- tries: a repeated repeated string
-- expect: script_failed

return {
  attack = function(arg)
    return #((("x"):rep(1e5)):rep(1e5))
  end,
}
