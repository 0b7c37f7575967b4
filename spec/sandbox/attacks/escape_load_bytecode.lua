-- tries: bytecode, which is not checked by Lua: a forged one reads and writes any memory
-- expect: script_failed

return {
  attack = function(arg)
    return load("\27Lua" .. ("\0"):rep(100), "x", "b")()
  end,
}
