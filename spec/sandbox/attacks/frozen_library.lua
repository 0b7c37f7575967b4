-- tries: a library function replaced for everybody
-- expect: script_failed

return {
  attack = function(arg)
    string.rep = function() return "mine" end
  end,
}
