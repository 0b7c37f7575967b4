-- tries: a result of 50,000 values
-- expect: script_bad_result

return {
  attack = function(arg)
    local t = {}
    for i = 1, 50000 do t[i] = i end
    return t
  end,
}
