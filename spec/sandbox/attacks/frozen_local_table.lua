-- tries: a table in a local of its module, which only its own functions see
-- expect: script_failed

local cache = {}

return {
  attack = function(arg)
    cache[#cache + 1] = arg.text
    return #cache
  end,
}
