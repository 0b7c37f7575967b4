-- tries: a counter that one function writes and another reads
-- expect: script_failed

local count = 0
local function bump()
  count = count + 1
end

return {
  attack = function()
    return count
  end,
  tools = { { bump } },
}
