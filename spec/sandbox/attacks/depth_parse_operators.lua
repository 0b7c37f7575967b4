-- tries: a chain of operators, each of which nests
-- expect: script_syntax

return {
  attack = function()
    return require("deep")
  end,
}
--@ module deep
return "x"
--@ repeat 20000 .. "x"
