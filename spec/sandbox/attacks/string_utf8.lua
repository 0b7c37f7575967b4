-- tries: long texts walked through
-- expect: script_budget:call_instructions

return {
  attack = function(arg)
    local s = ("\x80"):rep(400000)
    local step = utf8.codes("a")
    while true do pcall(step, s, 1) end
  end,
}
