-- tries: a file that requires itself
-- expect: script_failed

return {
  attack = function()
    return require("loop")
  end,
}
--@ module loop
return require("loop")
