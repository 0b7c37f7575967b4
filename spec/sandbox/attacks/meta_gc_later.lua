-- tries: a finalizer added to a metatable in use
-- expect: script_failed

return {
  attack = function(arg)
    local m = {}
    local t = setmetatable({}, m)
    m.__gc = function() while true do end end
    return t ~= nil
  end,
}
