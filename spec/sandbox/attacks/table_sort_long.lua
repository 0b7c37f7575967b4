-- tries: long strings in order: each comparison reads both
-- expect: script_budget

return {
  attack = function(arg)
    local t = {}
    for i = 1, 12 do t[i] = ("x"):rep(400000) .. i end
    while true do table.sort(t, function(a, b) return a > b end) table.sort(t) end
  end,
}
