-- tries: a module that is bytecode
-- expect: script_syntax

local forged = require("forged")

return {
  attack = function()
    return forged
  end,
}
--@ module forged
LuaT
