-- tries: a loop without an end
-- expect: script_budget

return {
  attack = function(arg)
    while true do end
  end,
}
