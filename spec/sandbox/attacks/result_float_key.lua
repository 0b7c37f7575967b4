-- tries: a key that is no name
-- expect: script_bad_result

return {
  attack = function(arg)
    return { [1.5] = 1 }
  end,
}
