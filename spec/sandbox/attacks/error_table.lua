-- tries: an error that is a table
-- expect: script_failed

return {
  attack = function(arg)
    error({ code = "x" })
  end,
}
