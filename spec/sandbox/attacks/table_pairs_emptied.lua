-- tries: a large emptied table, walked through for every loop that ends at once
-- expect: script_budget

return {
  attack = function(arg)
    local t = {}
    for i = 1, 65536 do t[i] = true end
    for i = 1, 65536 do t[i] = nil end
    while true do for _ in pairs(t) do end end
  end,
}
