-- tries: an error of a place that is not there
-- expect: script_failed

return {
  attack = function(arg)
    error("x", math.maxinteger)
  end,
}
