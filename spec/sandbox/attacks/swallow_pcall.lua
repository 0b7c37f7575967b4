-- tries: catching the end of its budget
-- expect: script_budget

return {
  attack = function(arg)
    while true do pcall(function() while true do end end) end
  end,
}
