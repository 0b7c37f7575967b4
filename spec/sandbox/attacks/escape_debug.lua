-- tries: the registry, by which everything can be reached
-- expect: script_failed

return {
  attack = function(arg)
    return debug.getregistry()
  end,
}
