-- tries: another metatable for all strings
-- expect: script_failed

return {
  attack = function(arg)
    setmetatable("", { __index = function() return "mine" end })
  end,
}
