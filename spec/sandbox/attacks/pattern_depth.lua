-- tries: recursion of the matcher: one level for each item
-- expect: script_failed

return {
  attack = function(arg)
    return (("a"):rep(1000)):find(("a?"):rep(1000))
  end,
}
