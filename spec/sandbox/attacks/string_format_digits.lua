-- tries: very many digits, which cost long divisions
-- expect: script_budget:call_instructions

return {
  attack = function(arg)
    while true do local _ = ("%99.99f"):format(1e308) end
  end,
}
