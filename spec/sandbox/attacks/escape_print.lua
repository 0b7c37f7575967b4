-- tries: output of its own
-- expect: script_failed

return {
  attack = function(arg)
    print("hello")
  end,
}
