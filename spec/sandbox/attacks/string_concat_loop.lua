-- tries: the same with the operator, which no library counts
-- expect: script_budget|script_memory

return {
  attack = function(arg)
    local s = ("x"):rep(400000)
    local n = 0
    while true do n = n + #(s .. n) end
  end,
}
