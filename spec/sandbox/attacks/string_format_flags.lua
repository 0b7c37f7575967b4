-- tries: a conversion longer than its buffer
-- expect: script_failed

return {
  attack = function(arg)
    return ("%" .. ("-"):rep(1000) .. "d"):format(1)
  end,
}
