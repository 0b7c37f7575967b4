-- tries: work on a long string in one call, again and again
-- expect: script_budget:call_instructions

return {
  attack = function(arg)
    local s = ("a"):rep(400000)
    while true do s:reverse() s:upper() end
  end,
}
