-- tries: the same by gsub
-- expect: script_budget

return {
  attack = function(arg)
    return (("a"):rep(4000)):gsub(".-.-.-b", "")
  end,
}
