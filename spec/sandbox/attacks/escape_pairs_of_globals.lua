-- tries: a walk over the globals to find one that should not be there
-- expect: result 0

return {
  attack = function(arg)
    local known = "_VERSION assert error getmetatable ipairs math pairs pcall rawequal require select setmetatable string table tonumber tostring type utf8 xpcall"
    local unknown = 0
    for name in pairs(_ENV) do
      unknown = unknown + (known:find(name, 1, true) and 0 or 1)
    end
    return unknown
  end,
}
