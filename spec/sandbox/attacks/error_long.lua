-- tries: an error of 500 KB
-- expect: script_failed

return {
  attack = function(arg)
    error(("x"):rep(500000))
  end,
}
