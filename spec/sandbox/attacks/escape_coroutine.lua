-- tries: a coroutine, whose count hook begins anew
-- expect: script_failed

return {
  attack = function(arg)
    return coroutine.wrap(function() while true do end end)()
  end,
}
