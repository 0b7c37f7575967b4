-- tries: a small table that is 2^30 values when written out
-- expect: script_bad_result:max_nodes

return {
  attack = function(arg)
    local t = { 1 }
    for _ = 1, 30 do t = { t, t } end
    return t
  end,
}
