-- tries: a weak table: it shows when garbage is collected
-- expect: script_failed

return {
  attack = function(arg)
    return #setmetatable({ {} }, { __mode = "v" })
  end,
}
