-- tries: a list without an end
-- expect: script_memory|script_budget

return {
  attack = function(arg)
    local t = {}
    while true do t[#t + 1] = {} end
  end,
}
