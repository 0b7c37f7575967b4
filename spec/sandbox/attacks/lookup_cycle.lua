-- tries: an argument that contains itself
-- expect: script_failed

return {
  attack = function(arg)
    local t = {}
    t.t = t
    return arg.block(t)
  end,
}
