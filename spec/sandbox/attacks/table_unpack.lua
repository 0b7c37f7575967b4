-- tries: ten million values on the stack
-- expect: script_failed

return {
  attack = function(arg)
    return select("#", table.unpack({}, 1, 1e7))
  end,
}
