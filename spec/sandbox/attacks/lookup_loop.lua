-- tries: a lookup without an end
-- expect: script_budget

return {
  attack = function(arg)
    while true do arg.block("a") end
  end,
}
