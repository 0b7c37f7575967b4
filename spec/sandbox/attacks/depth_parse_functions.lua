-- tries: functions nested 10,000 deep
-- expect: script_syntax

return {
  attack = function()
    return require("deep")
  end,
}
--@ module deep
--@ repeat 10000 return function()
