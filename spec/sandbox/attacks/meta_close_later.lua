-- tries: the same, added to a metatable in use
-- expect: script_failed

return {
  attack = function(arg)
    local m = {}
    local t = setmetatable({}, m)
    m.__close = function() while true do end end
    local x <close> = t
  end,
}
