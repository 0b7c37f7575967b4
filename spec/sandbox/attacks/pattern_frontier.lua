-- tries: %f over a long subject, again and again
-- expect: script_budget

return {
  attack = function(arg)
    local s = ("a"):rep(400000)
    while true do s:find("%f[b]") end
  end,
}
