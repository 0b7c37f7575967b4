-- tries: an error that is no UTF-8
-- expect: script_failed

return {
  attack = function(arg)
    error("\xFF\xC3\x28")
  end,
}
