-- tries: another one
-- expect: script_bad_result

return {
  attack = function(arg)
    return { [true] = 1 }
  end,
}
