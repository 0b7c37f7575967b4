-- tries: text that is no UTF-8
-- expect: script_bad_result

return {
  attack = function(arg)
    return { text = "\xC3\x28" }
  end,
}
