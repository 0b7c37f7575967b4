-- tries: a metamethod added when the metatable is in use
-- expect: script_failed

local object = setmetatable({}, {})

return {
  attack = function(arg)
    getmetatable(object).__index = function() return "mine" end
    return object.x
  end,
}
