-- tries: a width of a million
-- expect: script_failed

return {
  attack = function(arg)
    return #("%1000000s"):format("x")
  end,
}
