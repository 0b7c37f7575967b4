-- tries: a name that C reads differently
-- expect: script_failed

return {
  attack = function(arg)
    return require("victim\0x")
  end,
}
