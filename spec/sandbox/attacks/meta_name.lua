-- tries: a __name that breaks lines in the log
-- expect: script_failed

return {
  attack = function(arg)
    return #setmetatable({}, { __name = "x\n2026-01-01 ERROR forged\27[31m" }) + {}
  end,
}
