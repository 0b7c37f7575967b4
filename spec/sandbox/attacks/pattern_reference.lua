-- tries: a back reference that compares long texts again and again
-- expect: script_budget

return {
  attack = function(arg)
    return (("a"):rep(200000)):find("^(a+)%1b")
  end,
}
