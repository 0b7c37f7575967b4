-- tries: a shared library
-- expect: script_failed

return {
  attack = function(arg)
    return package.loadlib("libc.so.6", "system")
  end,
}
