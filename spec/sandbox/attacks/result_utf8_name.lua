-- tries: a name that is no UTF-8
-- expect: script_bad_result

return {
  attack = function(arg)
    return { ["\xFF"] = 1 }
  end,
}
