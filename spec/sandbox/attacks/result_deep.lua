-- tries: a result nested 200 deep
-- expect: script_bad_result:max_depth

return {
  attack = function(arg)
    local t = {}
    for _ = 1, 200 do t = { t } end
    return t
  end,
}
