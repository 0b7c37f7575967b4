-- tries: an integer that a reader would round
-- expect: script_bad_result

return {
  attack = function(arg)
    return (1 << 53) + 1
  end,
}
