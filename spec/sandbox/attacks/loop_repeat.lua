-- tries: the same with repeat
-- expect: script_budget

return {
  attack = function(arg)
    repeat local x = 1 until x == 2
  end,
}
