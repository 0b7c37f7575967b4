-- tries: keys without an order
-- expect: script_failed

return {
  attack = function(arg)
    for _ in pairs({ [{}] = 1, [true] = 2 }) do end
  end,
}
