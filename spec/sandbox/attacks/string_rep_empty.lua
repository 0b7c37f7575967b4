-- tries: an empty string repeated 2^62 times: plain Lua counts
-- expect: result 0

return {
  attack = function(arg)
    return #((""):rep(1 << 62))
  end,
}
