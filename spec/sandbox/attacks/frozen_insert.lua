-- tries: table.insert into a frozen table
-- expect: script_failed

local list = { 1, 2 }

return {
  attack = function(arg)
    table.insert(list, "x")
  end,
}
