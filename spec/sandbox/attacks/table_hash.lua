-- tries: a table of ever more names
-- expect: script_memory|script_budget

return {
  attack = function(arg)
    local t, n = {}, 0
    while true do n = n + 1 t["k" .. n] = n end
  end,
}
