-- tries: an iterator of pairs that hands out the content of a frozen table, to write into it
-- expect: script_failed

local list = { 1, 2 }

return {
  attack = function(arg)
    local iterate, content = pairs(list)
    content[1] = "mine"
    return iterate and list[1]
  end,
}
