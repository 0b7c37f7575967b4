-- tries: a text nested 100,000 deep
-- expect: result "depth"

return {
  attack = function(arg)
    local value = require("atoms.json").decode(("["):rep(100000))
    return value == nil and "depth"
  end,
}
