-- tries: a loop without an end
-- expect: script_budget:call_instructions

return {
  attack = function(arg)
    while true do end
  end,
}
