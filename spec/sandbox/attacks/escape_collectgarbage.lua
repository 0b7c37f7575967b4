-- tries: stopping the garbage collector
-- expect: script_failed

return {
  attack = function(arg)
    return collectgarbage("stop")
  end,
}
