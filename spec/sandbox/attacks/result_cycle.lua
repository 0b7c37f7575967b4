-- tries: a table that contains itself
-- expect: script_bad_result

return {
  attack = function(arg)
    local t = {}
    t.t = t
    return t
  end,
}
