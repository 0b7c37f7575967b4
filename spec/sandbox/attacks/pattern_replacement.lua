-- tries: a replacement that is no text
-- expect: script_failed

return {
  attack = function(arg)
    return (("x"):gsub("x", function() return {} end))
  end,
}
