-- tries: arithmetic with a string that is long and yet a number
-- expect: script_failed

return {
  attack = function(arg)
    local s = (" "):rep(500000) .. "1"
    local n = 0
    while true do n = n + s end
  end,
}
