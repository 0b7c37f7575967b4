-- tries: the same with as many as a table may have
-- expect: script_budget

return {
  attack = function(arg)
    for _ = 1, 100 do
      local t = {}
      for i = 1, 4097 do t[i * 8191] = i end
    end
  end,
}
