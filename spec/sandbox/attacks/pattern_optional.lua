-- tries: a hundred optional items
-- expect: script_budget

return {
  attack = function(arg)
    return (("a"):rep(100)):find(("a?"):rep(100) .. ("a"):rep(100) .. "b")
  end,
}
