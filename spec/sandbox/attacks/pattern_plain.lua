-- tries: plain search in a long subject, again and again
-- expect: script_budget:call_instructions

return {
  attack = function(arg)
    local s = ("a"):rep(400000)
    while true do s:find("b", 1, true) end
  end,
}
