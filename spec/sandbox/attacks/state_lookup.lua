-- tries: a lookup kept for a later call
-- expect: script_failed

local kept = {}

return {
  attack = function(arg)
    kept[1] = arg.block
    return 1
  end,
}
