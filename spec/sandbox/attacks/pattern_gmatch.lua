-- tries: the same by gmatch
-- expect: script_budget

return {
  attack = function(arg)
    for _ in (("a"):rep(4000)):gmatch(".-.-.-b") do end
  end,
}
