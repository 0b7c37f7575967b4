-- tries: a counter in a local outside of the function
-- expect: script_failed

local count = 0

return {
  attack = function(arg)
    count = count + 1
    return count
  end,
}
