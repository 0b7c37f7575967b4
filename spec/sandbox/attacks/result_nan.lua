-- tries: another one
-- expect: script_bad_result

return {
  attack = function(arg)
    return 0 / 0
  end,
}
