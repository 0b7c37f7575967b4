-- tries: __tostring without an end, met when the error is told
-- expect: script_failed

return {
  attack = function(arg)
    error(setmetatable({}, { __tostring = function() while true do end end }))
  end,
}
