-- tries: a variable that closes: its function would run while an error goes up
-- expect: script_failed

return {
  attack = function(arg)
    local x <close> = setmetatable({}, { __close = function() while true do end end })
    error("up")
  end,
}
