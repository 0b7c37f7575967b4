-- tries: a width beyond the room that a number gets, to read what lies behind
-- expect: script_failed

return {
  attack = function(arg)
    return #("%1000d"):format(1)
  end,
}
