-- tries: an error that clears the terminal and forges a line of the log
-- expect: script_failed

return {
  attack = function(arg)
    error("\27[2J\n2026-01-01 forged\r\0\x9b")
  end,
}
