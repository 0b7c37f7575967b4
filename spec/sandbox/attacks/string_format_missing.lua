-- tries: reading arguments that are not there
-- expect: script_failed

return {
  attack = function(arg)
    return ("%d%d%d%d%d%d%d%d"):format(1)
  end,
}
