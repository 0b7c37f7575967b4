-- tries: an error that is a function
-- expect: script_failed

return {
  attack = function(arg)
    error(function() end)
  end,
}
