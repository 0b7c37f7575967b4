-- tries: a length that wraps around to a small one
-- expect: script_failed

return {
  attack = function(arg)
    return #(("xx"):rep((1 << 62) + 1, "yy"))
  end,
}
