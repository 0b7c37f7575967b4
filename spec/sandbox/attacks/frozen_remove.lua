-- tries: table.remove from a frozen table
-- expect: script_failed

local list = { 1, 2 }

return {
  attack = function(arg)
    return table.remove(list)
  end,
}
