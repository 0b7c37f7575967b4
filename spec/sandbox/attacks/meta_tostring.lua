-- tries: __tostring that is no text
-- expect: script_failed

return {
  attack = function(arg)
    return tostring(setmetatable({}, { __tostring = function() return {} end }))
  end,
}
