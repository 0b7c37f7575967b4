-- tries: the same by functions that take numbers
-- expect: script_budget

return {
  attack = function(arg)
    local s = (" "):rep(500000) .. "1"
    while true do math.floor(s) end
  end,
}
