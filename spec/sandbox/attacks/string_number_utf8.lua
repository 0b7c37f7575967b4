-- tries: the same in utf8
-- expect: script_failed

return {
  attack = function(arg)
    local s = (" "):rep(500000) .. "65"
    local t = {}
    for i = 1, 4000 do t[i] = s end
    return #utf8.char(table.unpack(t))
  end,
}
