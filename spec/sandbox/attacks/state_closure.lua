-- tries: a counter within the call: harmless
-- expect: result 3

return {
  attack = function(arg)
    local n = 0
    local function bump() n = n + 1 end
    bump() bump() bump()
    return n
  end,
}
