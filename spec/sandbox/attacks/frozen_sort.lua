-- tries: table.sort of a frozen table
-- expect: script_failed

local list = { 2, 1 }

return {
  attack = function(arg)
    table.sort(list)
  end,
}
