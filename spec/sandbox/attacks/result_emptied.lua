-- tries: a large emptied table 8,000 times: each is walked through when it is read
-- expect: script_budget|script_bad_result

return {
  attack = function(arg)
    local t, list = {}, {}
    for i = 1, 65536 do t[i] = true end
    for i = 1, 65536 do t[i] = nil end
    for i = 1, 16000 do list[i] = t end
    return list
  end,
}
