-- tries: a pattern that tries everything: 4,000 bytes take over a minute in plain Lua
-- expect: script_budget

return {
  attack = function(arg)
    return (("a"):rep(4000)):find(".-.-.-b")
  end,
}
