-- tries: an order that contradicts itself: it may lead a sort out of its bounds
-- expect: result 300

return {
  attack = function(arg)
    local t = {}
    for i = 1, 300 do t[i] = i % 7 end
    table.sort(t, function() return true end)
    table.sort(t, function(a, b) return a >= b end)
    return #t
  end,
}
