-- tries: the largest and smallest numbers that JSON readers agree on
-- expect: result [-9007199254740991,9007199254740991,9007199254740991,1e+300]

return {
  attack = function(arg)
    return { -(1 << 53) + 1, (1 << 53) - 1, 2.0 ^ 53 - 1, 1e300 }
  end,
}
