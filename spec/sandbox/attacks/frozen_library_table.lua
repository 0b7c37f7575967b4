-- tries: a library replaced
-- expect: script_failed

return {
  attack = function(arg)
    _ENV.string = {}
  end,
}
