-- tries: the same in a full table, which is made anew for each key that goes and comes
-- expect: script_budget

return {
  attack = function(arg)
    local t = {}
    for i = 1, 3500 do t[i * 8191] = i end
    for i = 3501, 8191 do t["k" .. i] = i end
    local n = 0
    while true do
      t["k" .. 8000] = nil
      n = n + 1
      t[-n] = true
      t[-n] = nil
      t["k" .. 8000] = true
    end
  end,
}
