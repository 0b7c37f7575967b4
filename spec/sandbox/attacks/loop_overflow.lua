-- tries: a numeric loop whose counter would wrap around
-- expect: result [2,2]

return {
  attack = function(arg)
    local up, down = 0, 0
    for _ = math.maxinteger - 1, math.maxinteger do up = up + 1 end
    for _ = math.mininteger + 1, math.mininteger, -1 do down = down + 1 end
    return { up, down }
  end,
}
