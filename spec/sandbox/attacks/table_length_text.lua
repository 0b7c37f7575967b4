-- tries: a length that is no number
-- expect: script_failed

return {
  attack = function(arg)
    return table.concat(setmetatable({}, { __len = function() return "x" end }))
  end,
}
