-- tries: a lookup without an end
-- expect: script_budget:call_instructions

return {
  attack = function(arg)
    while true do arg.block("a") end
  end,
}
