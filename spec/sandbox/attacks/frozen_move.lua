-- tries: table.move into a frozen table
-- expect: script_failed

local list = { 1, 2 }

return {
  attack = function(arg)
    table.move({ 7 }, 1, 1, 1, list)
  end,
}
