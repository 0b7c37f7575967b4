-- tries: a string that doubles
-- expect: script_memory:string_bytes

return {
  attack = function(arg)
    local s = "x"
    while true do s = s .. s end
  end,
}
