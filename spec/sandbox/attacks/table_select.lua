-- tries: many arguments copied in one instruction, again and again
-- expect: script_budget|script_memory

return {
  attack = function(arg)
    local t = {}
    for i = 1, 4000 do t[i] = i end
    local function copy(...)
      while true do local _ = (select(1, ...)) end
    end
    local function more(n, ...)
      if n == 0 then return copy(...) end
      return more(n - 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...)
    end
    return more(300, table.unpack(t))
  end,
}
