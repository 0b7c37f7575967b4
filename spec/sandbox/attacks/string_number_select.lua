-- tries: the same where plain Lua would convert them
-- expect: script_failed

return {
  attack = function(arg)
    local s = (" "):rep(500000) .. "1"
    while true do select(s, 1) end
  end,
}
