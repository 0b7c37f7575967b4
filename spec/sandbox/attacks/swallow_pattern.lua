-- tries: catching the end of a pattern
-- expect: script_budget

return {
  attack = function(arg)
    return (pcall(string.find, ("a"):rep(4000), ".-.-.-b"))
  end,
}
