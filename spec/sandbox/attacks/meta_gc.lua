-- tries: a finalizer: it runs with hooks off
-- expect: script_failed

return {
  attack = function(arg)
    setmetatable({}, { __gc = function() while true do end end })
  end,
}
