-- tries: positions that wrap around
-- expect: script_failed

return {
  attack = function(arg)
    return table.move({ 1 }, 1, 10, math.maxinteger - 2)
  end,
}
