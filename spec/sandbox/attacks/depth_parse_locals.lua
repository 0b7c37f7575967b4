-- tries: more locals than there are registers
-- expect: script_syntax

return {
  attack = function()
    return require("deep")
  end,
}
--@ module deep
--@ repeat 300 local x
return {}
