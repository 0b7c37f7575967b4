-- tries: a function of the core as a result
-- expect: script_bad_result

return {
  attack = function(arg)
    return arg
  end,
}
