-- tries: %b from every position
-- expect: script_budget

return {
  attack = function(arg)
    return (("("):rep(100000)):gsub("%b()", "")
  end,
}
