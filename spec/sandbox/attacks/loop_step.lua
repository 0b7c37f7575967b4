-- tries: a numeric loop with a step so small that it never arrives
-- expect: script_budget

return {
  attack = function(arg)
    local n = 0
    for _ = 1, 2, 1e-300 do n = n + 1 end
    return n
  end,
}
