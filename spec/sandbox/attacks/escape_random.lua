-- tries: chance, so that the same call answers differently
-- expect: script_failed

return {
  attack = function(arg)
    return math.random()
  end,
}
