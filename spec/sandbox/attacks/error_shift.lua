-- tries: shifts by more than there are bits
-- expect: result [0,0,0]

return {
  attack = function(arg)
    return { 1 << 64, 1 >> math.maxinteger, 1 << math.mininteger }
  end,
}
