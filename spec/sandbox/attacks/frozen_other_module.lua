-- tries: the table of another module
-- expect: script_failed

return {
  attack = function(arg)
    require("victim").answer = function() return "mine" end
  end,
}
