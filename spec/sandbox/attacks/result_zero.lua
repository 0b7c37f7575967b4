-- tries: text that ends early in C
-- expect: script_bad_result

return {
  attack = function(arg)
    return "a\0b"
  end,
}
