-- tries: bytecode of its own function, to be forged and loaded
-- expect: script_failed

return {
  attack = function(arg)
    return string.dump(function() end)
  end,
}
