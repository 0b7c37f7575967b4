-- tries: a result of 500 KB
-- expect: script_bad_result:max_bytes

return {
  attack = function(arg)
    return ("x"):rep(500000)
  end,
}
