-- tries: arguments that are no data
-- expect: script_failed

return {
  attack = function(arg)
    return arg.block(function() end)
  end,
}
