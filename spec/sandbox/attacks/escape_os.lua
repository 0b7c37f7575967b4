-- tries: the clock and the environment
-- expect: script_failed

return {
  attack = function(arg)
    return os.getenv("HOME") .. os.time()
  end,
}
