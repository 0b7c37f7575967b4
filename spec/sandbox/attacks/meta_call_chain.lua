-- tries: a chain of __call: each link moves all arguments, in one instruction
-- expect: script_failed

return {
  attack = function(arg)
    local callee = function() return 1 end
    for _ = 1, 6000 do callee = setmetatable({}, { __call = callee }) end
    local n = 0
    while true do n = n + callee() end
  end,
}
