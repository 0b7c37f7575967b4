-- tries: a list with a hole
-- expect: script_bad_result

return {
  attack = function(arg)
    return { [1] = 1, [1000000] = 2 }
  end,
}
