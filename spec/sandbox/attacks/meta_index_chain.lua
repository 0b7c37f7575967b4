-- tries: a chain of tables, walked through in one instruction
-- expect: script_budget

return {
  attack = function(arg)
    local t = {}
    for _ = 1, 900 do t = setmetatable({}, { __index = t }) end
    local n = 0
    while true do n = n + (t.x or 1) end
  end,
}
