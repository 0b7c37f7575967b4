-- tries: a set with very many members, tested at each byte
-- expect: script_failed

return {
  attack = function(arg)
    return (("a"):rep(1000)):find("[" .. ("b"):rep(100000) .. "]")
  end,
}
