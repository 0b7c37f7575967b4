-- tries: the raw content of a frozen table, in an order that differs from process to process
-- expect: script_failed

return {
  attack = function(arg)
    return next(string)
  end,
}
