-- tries: a handler that calls xpcall with itself
-- expect: script_failed|script_budget|script_memory

return {
  attack = function(arg)
    local function handler() return xpcall(error, handler) end
    return xpcall(error, handler)
  end,
}
