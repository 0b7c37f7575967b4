-- tries: a memory of earlier calls by __index
-- expect: script_failed

local memo = setmetatable({}, { __index = function(t, k) t[k] = 1 return 1 end })

return {
  attack = function(arg)
    return memo[arg.text]
  end,
}
