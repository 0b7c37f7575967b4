-- tries: positions at the ends of the integers
-- expect: result ["hello","","","hello"]

return {
  attack = function(arg)
    local s = "hello"
    return { s:sub(math.mininteger, math.maxinteger), s:sub(math.maxinteger), s:sub(1, math.mininteger), s:sub(-math.maxinteger) }
  end,
}
