-- tries: a surrogate in UTF-8
-- expect: script_bad_result

return {
  attack = function(arg)
    return "\xED\xA0\x80"
  end,
}
