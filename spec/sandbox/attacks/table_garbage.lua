-- tries: garbage without an end
-- expect: script_budget

return {
  attack = function(arg)
    while true do local _ = { {}, {}, {} } end
  end,
}
