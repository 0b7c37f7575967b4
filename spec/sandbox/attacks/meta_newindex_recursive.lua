-- tries: __newindex that assigns again
-- expect: script_failed

return {
  attack = function(arg)
    setmetatable({}, { __newindex = function(t, k, v) t[k] = v end }).x = 1
  end,
}
