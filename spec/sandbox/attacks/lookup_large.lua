-- tries: a large argument, again and again
-- expect: script_budget|script_failed

return {
  attack = function(arg)
    local s = ("x"):rep(200000)
    while true do arg.block(s) end
  end,
}
