-- tries: a string that doubles
-- expect: script_memory

return {
  attack = function(arg)
    local s = "x"
    while true do s = s .. s end
  end,
}
