-- tries: more captures than there is room for
-- expect: script_failed

return {
  attack = function(arg)
    return (("a"):rep(100)):find(("(a)"):rep(40))
  end,
}
