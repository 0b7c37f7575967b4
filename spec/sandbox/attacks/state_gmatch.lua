-- tries: an iterator made while loading, which moves on with each call
-- expect: script_failed

local iterate = ("abc"):gmatch(".")

return {
  attack = function(arg)
    return iterate()
  end,
}
