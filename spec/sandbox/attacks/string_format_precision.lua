-- tries: a precision of a million
-- expect: script_failed

return {
  attack = function(arg)
    return #("%.1000000f"):format(1)
  end,
}
