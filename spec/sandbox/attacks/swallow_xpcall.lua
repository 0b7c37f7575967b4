-- tries: the same with a handler that goes on
-- expect: script_budget

return {
  attack = function(arg)
    return (xpcall(function() while true do end end, function() while true do end end))
  end,
}
