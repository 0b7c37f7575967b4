-- tries: errors caught without an end
-- expect: script_budget

return {
  attack = function(arg)
    while true do pcall(error, "x") end
  end,
}
