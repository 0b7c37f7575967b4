-- tries: its method called as if it were of another object
-- expect: result {"id":"a"}

return {
  attack = function(arg)
    local block = arg.block
    return block("a")
  end,
}
