-- tries: tonumber of a string that is long
-- expect: result "nil"

return {
  attack = function(arg)
    local s = (" "):rep(500000) .. "1"
    return tostring(tonumber(s))
  end,
}
