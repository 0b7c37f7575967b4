-- tries: the same in a full table, which is made anew for each key that comes after one has gone
-- expect: script_budget

return {
  attack = function(arg)
    local t = {}
    for i = 1, 1500 do t[i * 8191] = i end
    for i = 1501, 8192 do t[i + 0.5] = i end
    local n = 0
    while true do
      n = n + 1
      t[8000.5] = nil
      t[-n] = true
      t[-n] = nil
      t[8000.5] = true
    end
  end,
}
