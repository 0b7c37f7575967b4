-- tries: a division by zero
-- expect: script_failed

return {
  attack = function(arg)
    return 1 // 0
  end,
}
