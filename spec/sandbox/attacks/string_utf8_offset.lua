-- tries: the same by utf8.offset
-- expect: script_budget:call_instructions

return {
  attack = function(arg)
    local s = ("a"):rep(400000)
    while true do utf8.offset(s, 400000) end
  end,
}
