-- tries: the same, greedy
-- expect: script_budget

return {
  attack = function(arg)
    return (("a"):rep(4000)):match("a*a*a*a*b")
  end,
}
