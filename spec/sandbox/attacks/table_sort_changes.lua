-- tries: an order function that empties the list meanwhile
-- expect: result true

return {
  attack = function(arg)
    local t = { 5, 4, 3, 2, 1 }
    table.sort(t, function(a, b)
      for i = 1, 5 do t[i] = nil end
      return a < b
    end)
    return t[1] == 1 and t[5] == 5
  end,
}
