-- tries: a file outside of its sources
-- expect: script_failed

return {
  attack = function(arg)
    return require("../../../../etc/passwd")
  end,
}
