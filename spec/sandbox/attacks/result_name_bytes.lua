-- tries: the same in names
-- expect: script_bad_result

return {
  attack = function(arg)
    local t = {}
    for i = 1, 10 do t[("x"):rep(40000) .. i] = i end
    return t
  end,
}
