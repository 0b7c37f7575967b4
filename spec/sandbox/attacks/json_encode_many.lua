-- tries: the same with many short strings
-- expect: script_budget:call_instructions

return {
  attack = function(arg)
    local json = require("atoms.json")
    local t = {}
    for i = 1, 16000 do t[i] = ("\1"):rep(15) end
    while true do pcall(json.encode, t) end
  end,
}
