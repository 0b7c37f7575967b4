-- tries: the metatable that all strings share
-- expect: script_failed

return {
  attack = function(arg)
    getmetatable("").__index = { rep = function() return "mine" end }
  end,
}
