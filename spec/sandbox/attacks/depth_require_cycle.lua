-- tries: three files that require each other
-- expect: script_failed

return {
  attack = function()
    return require("one")
  end,
}
--@ module one
return { require("two") }
--@ module two
return { require("three") }
--@ module three
return { require("one") }
