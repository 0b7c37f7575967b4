-- tries: recursion without an end
-- expect: script_memory|script_failed

return {
  attack = function(arg)
    local function deep(n) return 1 + deep(n + 1) end
    return deep(1)
  end,
}
