-- tries: an error that blames another file
-- expect: script_failed

return {
  attack = function(arg)
    error("victim.lua:1: it was not me", 0)
  end,
}
