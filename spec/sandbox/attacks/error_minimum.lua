-- tries: the integer whose opposite there is not
-- expect: result [0,true]

return {
  attack = function(arg)
    return { math.mininteger % -1, math.mininteger // -1 == math.mininteger }
  end,
}
