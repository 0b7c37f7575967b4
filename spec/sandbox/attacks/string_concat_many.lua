-- tries: many long operands in one instruction
-- expect: script_memory

return {
  attack = function(arg)
    local s = ("x"):rep(500000)
    return #(s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s)
  end,
}
