-- tries: code made while it runs
-- expect: script_failed

return {
  attack = function(arg)
    return load("return 1")()
  end,
}
