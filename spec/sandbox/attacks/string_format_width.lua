-- tries: a width of a million
-- expect: script_failed

return {
  attack = function(arg)
    return #("%1000000d"):format(1)
  end,
}
