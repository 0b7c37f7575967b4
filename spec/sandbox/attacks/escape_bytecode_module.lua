-- tries: a module that is bytecode
-- expect: script_syntax

local compiled = require("compiled")

return {
  attack = function()
    return compiled.text
  end,
}
--@ bytecode compiled
return { text = "loaded" }
