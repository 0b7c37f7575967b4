-- tries: long strings in order: each comparison reads both
-- expect: script_budget:call_instructions

return {
  attack = function(arg)
    local t, s = {}, ("x"):rep(400000)
    for i = 1, 12 do t[i] = s .. i end
    while true do table.sort(t, function(a, b) return a > b end) table.sort(t) end
  end,
}
