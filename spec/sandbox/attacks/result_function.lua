-- tries: a function as a result
-- expect: script_bad_result

return {
  attack = function(arg)
    return { callback = function() end }
  end,
}
