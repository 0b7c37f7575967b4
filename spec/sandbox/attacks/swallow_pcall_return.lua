-- tries: catching the end of its budget and answering nevertheless
-- expect: script_budget

return {
  attack = function(arg)
    pcall(function() while true do end end)
    return "free"
  end,
}
