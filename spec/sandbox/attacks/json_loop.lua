-- tries: a large text read, again and again
-- expect: script_budget

return {
  attack = function(arg)
    local text = "[" .. ("1,"):rep(10000) .. "1]"
    local json = require("atoms.json")
    while true do json.decode(text) end
  end,
}
