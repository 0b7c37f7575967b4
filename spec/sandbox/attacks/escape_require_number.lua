-- tries: a module whose name is no string
-- expect: script_failed

return {
  attack = function(arg)
    return require({})
  end,
}
