-- tries: long strings made and dropped
-- expect: script_budget

return {
  attack = function(arg)
    while true do local _ = ("x"):rep(500000) end
  end,
}
