-- tries: the same, from a function inside
-- expect: script_failed

local count = 0

return {
  attack = function(arg)
    local function bump() count = count + 1 end
    bump()
    return count
  end,
}
