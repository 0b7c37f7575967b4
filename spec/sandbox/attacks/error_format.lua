-- tries: an error that C would read as a format
-- expect: script_failed

return {
  attack = function(arg)
    error("%s%s%s%n%99999d")
  end,
}
