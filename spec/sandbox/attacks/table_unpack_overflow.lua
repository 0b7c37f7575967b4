-- tries: a count that wraps around
-- expect: script_failed

return {
  attack = function(arg)
    return select("#", table.unpack({}, math.mininteger, math.maxinteger))
  end,
}
