-- tries: a small table that is 2^30 values when written out
-- expect: script_failed

return {
  attack = function(arg)
    local t = { 1 }
    for _ = 1, 30 do t = { t, t } end
    return require("atoms.json").encode(t)
  end,
}
