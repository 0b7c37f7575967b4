-- tries: a library function replaced for everybody
-- expect: script_failed

return {
  attack = function(arg)
    rawset(string, "rep", function() return "mine" end)
    return ("x"):rep(3)
  end,
}
