-- tries: writing through a pointer
-- expect: script_failed

return {
  attack = function(arg)
    return ("%n"):format(1)
  end,
}
