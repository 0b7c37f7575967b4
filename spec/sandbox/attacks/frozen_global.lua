-- tries: a global
-- expect: script_failed

return {
  attack = function(arg)
    counter = (counter or 0) + 1
    return counter
  end,
}
