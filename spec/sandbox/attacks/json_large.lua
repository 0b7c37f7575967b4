-- tries: a text of very many values
-- expect: result "many"

return {
  attack = function(arg)
    local value = require("atoms.json").decode("[" .. ("1,"):rep(100000) .. "1]")
    return value == nil and "many"
  end,
}
