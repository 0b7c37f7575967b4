-- tries: long strings as keys: each is hashed whole
-- expect: script_budget

return {
  attack = function(arg)
    local s, t = ("x"):rep(400000), {}
    local n = 0
    while true do n = n + 1 t[s .. n] = nil end
  end,
}
