-- tries: arguments that take long to read
-- expect: script_budget|script_failed

return {
  attack = function(arg)
    local t, list = {}, {}
    for i = 1, 65536 do t[i] = true end
    for i = 1, 65536 do t[i] = nil end
    for i = 1, 16000 do list[i] = t end
    return arg.block(list)
  end,
}
