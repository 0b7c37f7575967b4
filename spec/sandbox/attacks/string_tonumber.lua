-- tries: the same by tonumber, in base 36
-- expect: script_budget:call_instructions

return {
  attack = function(arg)
    local s = ("z"):rep(500000)
    while true do tonumber(s, 36) end
  end,
}
