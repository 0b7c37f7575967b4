-- tries: a tail call without an end
-- expect: script_budget

return {
  attack = function(arg)
    local function again() return again() end
    return again()
  end,
}
