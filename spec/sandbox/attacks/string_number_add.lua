-- tries: the same with arithmetic
-- expect: script_budget:call_instructions

return {
  attack = function(arg)
    local s = (" "):rep(500000) .. "1"
    local n = 0
    while true do n = n + s end
  end,
}
