-- tries: a replacement table whose __index calls gsub again
-- expect: script_failed

return {
  attack = function(arg)
    local t
    t = setmetatable({}, { __index = function() return (("x"):gsub("x", t)) end })
    return (("x"):gsub("x", t))
  end,
}
