-- tries: arguments changed for the next call
-- expect: result [1,2,3]

return {
  attack = function(arg)
    local list = { arg.list[1], arg.list[2], arg.list[3] }
    arg.list[1] = 99
    arg.text = nil
    return list
  end,
}
