-- tries: a table deep inside of others
-- expect: script_failed

local cache = { a = { b = { { c = {} } } } }

return {
  attack = function(arg)
    cache.a.b[1].c.n = 1
    return 1
  end,
}
