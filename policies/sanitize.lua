-- What a log line may contain. A tenant's file runs before this one; the gateway's own rules for keys, bearers, cards and addresses run
-- last, always. Answers the line to keep, changed or not; nil drops it.

return {
  name = "sanitize",
  version = 1,
  api = 1,
  sanitize = function(line)
    return line
  end,
}
