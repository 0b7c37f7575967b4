-- tries: catching it inside of a function that C called
-- expect: script_budget

return {
  attack = function(arg)
    return (("xxx"):gsub("x", function() pcall(function() while true do end end) return "y" end))
  end,
}
