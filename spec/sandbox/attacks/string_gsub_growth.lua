-- tries: a replacement that makes it longer
-- expect: script_failed

return {
  attack = function(arg)
    return #(("x"):rep(100000)):gsub("x", ("y"):rep(1000))
  end,
}
