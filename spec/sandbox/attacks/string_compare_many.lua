-- tries: as many comparisons as there may be between two looks at the clock
-- expect: script_budget

return {
  attack = function(arg)
    local a = ("\0"):rep(430000)
    local b = a .. "b"
    while true do
      local x = a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b
        and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b and a<b
    end
  end,
}
