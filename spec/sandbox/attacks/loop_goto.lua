-- tries: the same with goto
-- expect: script_budget:call_instructions

return {
  attack = function(arg)
    ::again::
    goto again
  end,
}
