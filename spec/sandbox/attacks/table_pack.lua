-- tries: many values packed, again and again
-- expect: script_budget

return {
  attack = function(arg)
    local t = {}
    for i = 1, 4000 do t[i] = i end
    while true do table.pack(table.unpack(t)) end
  end,
}
