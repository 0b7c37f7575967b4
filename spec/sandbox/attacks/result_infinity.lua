-- tries: a number that JSON does not have
-- expect: script_bad_result

return {
  attack = function(arg)
    return { n = 1 / 0 }
  end,
}
