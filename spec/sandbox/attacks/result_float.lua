-- tries: 2^53 as a float
-- expect: script_bad_result

return {
  attack = function(arg)
    return 2.0 ^ 53
  end,
}
