-- tries: long strings compared, byte by byte in one instruction
-- expect: script_budget

return {
  attack = function(arg)
    local a, b = ("x"):rep(400000) .. "a", ("x"):rep(400000) .. "b"
    local n = 0
    while true do n = n + (a < b and 1 or 2) end
  end,
}
