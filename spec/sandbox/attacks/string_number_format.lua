-- tries: the same in a format
-- expect: script_failed

return {
  attack = function(arg)
    local s = (" "):rep(500000) .. "65"
    local t = {}
    for i = 1, 600 do t[i] = s end
    return #string.format(("%d"):rep(600), table.unpack(t))
  end,
}
