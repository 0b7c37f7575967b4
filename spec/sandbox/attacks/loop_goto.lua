-- tries: the same with goto
-- expect: script_budget

return {
  attack = function(arg)
    ::again::
    goto again
  end,
}
