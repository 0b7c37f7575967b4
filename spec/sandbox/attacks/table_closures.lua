-- tries: functions without an end
-- expect: script_memory|script_budget

return {
  attack = function(arg)
    local all = {}
    while true do local n = #all all[n + 1] = function() return n end end
  end,
}
