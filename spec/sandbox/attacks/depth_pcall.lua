-- tries: recursion through pcall
-- expect: script_failed|script_budget|result false

return {
  attack = function(arg)
    local function deep() return pcall(deep) end
    local ok = deep()
    return not ok
  end,
}
