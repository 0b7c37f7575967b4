-- tries: a walk over keys that fall on one place
-- expect: script_budget

return {
  attack = function(arg)
    local t = {}
    for i = 1, 3500 do t[i * 8191] = i end
    for i = 3501, 4097 do t["k" .. i] = i end
    while true do for _ in pairs(t) do end end
  end,
}
