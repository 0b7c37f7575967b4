-- tries: the same with pairs
-- expect: script_failed

local iterate = pairs({ 1, 2, 3 })

return {
  attack = function(arg)
    return (iterate())
  end,
}
