-- tries: the json library
-- expect: script_failed

return {
  attack = function(arg)
    require("atoms.json").encode = function() return "mine" end
  end,
}
