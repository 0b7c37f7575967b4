-- tries: recursion without an end, caught and begun again
-- expect: script_budget|script_memory

return {
  attack = function(arg)
    local function deep() return 1 + deep() end
    while true do pcall(deep) end
  end,
}
