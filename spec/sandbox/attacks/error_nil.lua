-- tries: an error without a value
-- expect: script_failed

return {
  attack = function(arg)
    error(nil)
  end,
}
