-- tries: the same with table.concat
-- expect: script_failed

return {
  attack = function(arg)
    local s, list = ("x"):rep(10000), {}
    for i = 1, 1000 do list[i] = s end
    return #table.concat(list)
  end,
}
