-- tries: arguments that become more at each call
-- expect: script_memory|script_budget|script_failed

return {
  attack = function(arg)
    local function more(...) return more(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...) end
    return more()
  end,
}
