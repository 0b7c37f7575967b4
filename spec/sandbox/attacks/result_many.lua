-- tries: more results than are asked for
-- expect: result 1

return {
  attack = function(arg)
    local t = {}
    for i = 1, 4000 do t[i] = i end
    return table.unpack(t)
  end,
}
