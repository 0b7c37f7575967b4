-- tries: catching the end of its memory
-- expect: script_memory:memory_bytes

return {
  attack = function(arg)
    pcall(function()
      local all = {}
      local s = ("x"):rep(500000)
      for i = 1, 100 do all[i] = s .. i end
    end)
    return "free"
  end,
}
