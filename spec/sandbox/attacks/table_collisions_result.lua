-- tries: a result with keys that fall on one place, many times
-- expect: script_bad_result|script_budget

return {
  attack = function(arg)
    local t, list = {}, {}
    for i = 1, 3500 do t[i * 8191] = i end
    for i = 3501, 4097 do t["k" .. i] = i end
    for i = 1, 4097 do t[i * 8191] = nil end
    for i = 1, 30 do list[i] = t end
    return list
  end,
}
