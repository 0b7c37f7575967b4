-- tries: an environment of its own with a counter in it
-- expect: script_failed

_ENV = { count = 0 }

return {
  attack = function(arg)
    count = count + 1
    return count
  end,
}
