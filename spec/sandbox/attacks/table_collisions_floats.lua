-- tries: the same with fractions
-- expect: script_budget|script_memory|result 1

return {
  attack = function(arg)
    local t = {}
    for i = 1, 16385 do t[i / 65536] = i end
    for i = 1, 16385 do t[i * 32767 + 0.5] = i end
    return 1
  end,
}
