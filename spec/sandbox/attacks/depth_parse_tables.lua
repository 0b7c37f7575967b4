-- tries: tables nested 100,000 deep
-- expect: script_syntax

return {
  attack = function()
    return require("deep")
  end,
}
--@ module deep
return
--@ repeat 100000 {
