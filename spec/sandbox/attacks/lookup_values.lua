-- tries: lookups of values that take long to read
-- expect: script_budget:call_instructions

return {
  attack = function(arg)
    local t = {}
    for i = 1, 16000 do t[i] = i end
    while true do pcall(arg.block, t) end
  end,
}
