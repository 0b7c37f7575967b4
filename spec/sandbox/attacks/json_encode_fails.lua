-- tries: to encode again and again what becomes too long
-- expect: script_budget:call_instructions

return {
  attack = function(arg)
    local json = require("atoms.json")
    local s = ("\1"):rep(250000)
    while true do pcall(json.encode, s) end
  end,
}
