-- tries: the same by functions that take numbers
-- expect: script_failed

return {
  attack = function(arg)
    local s = (" "):rep(500000) .. "1"
    local t = {}
    for i = 1, 4000 do t[i] = s end
    return math.max(table.unpack(t))
  end,
}
