-- tries: a cycle of which each turn is caught
-- expect: script_failed|script_budget|result "the end"

return {
  attack = function()
    return require("one").text
  end,
}
--@ module one
pcall(require, "two")
return { text = "the end" }
--@ module two
while true do
  pcall(require, "one")
end
