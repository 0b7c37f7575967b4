-- tries: more arguments than a lookup takes
-- expect: script_failed

return {
  attack = function(arg)
    local t = {}
    for i = 1, 1000 do t[i] = i end
    return arg.block(table.unpack(t))
  end,
}
