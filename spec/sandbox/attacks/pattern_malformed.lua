-- tries: patterns cut off in the middle, to read behind their end
-- expect: result 10

return {
  attack = function(arg)
    local failed = 0
    for _, pattern in ipairs({ "[", "[^", "[a", "[a-", "[%", "%", "%b", "%bx", "%f", "(" }) do
      failed = failed + (pcall(string.find, "aaa(%[x", pattern) and 0 or 1)
    end
    return failed
  end,
}
