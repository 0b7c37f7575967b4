-- tries: the same, as the fourth value of a generic loop
-- expect: script_failed

return {
  attack = function(arg)
    for _ in function() end, nil, nil, setmetatable({}, { __close = function() while true do end end }) do end
  end,
}
