-- tries: a quintillion elements
-- expect: script_budget:call_instructions

return {
  attack = function(arg)
    return table.move({}, 1, 1 << 60, 2)
  end,
}
