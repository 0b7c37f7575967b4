-- tries: a file as code
-- expect: script_failed

return {
  attack = function(arg)
    return (loadfile or dofile)("/etc/hostname")()
  end,
}
