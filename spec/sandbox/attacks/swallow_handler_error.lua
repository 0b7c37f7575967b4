-- tries: an error in the error handler
-- expect: script_failed

return {
  attack = function(arg)
    return xpcall(error, function() error("again") end)
  end,
}
