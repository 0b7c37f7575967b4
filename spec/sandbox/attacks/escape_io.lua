-- tries: a file
-- expect: script_failed

return {
  attack = function(arg)
    return io.open("/etc/passwd"):read("a")
  end,
}
