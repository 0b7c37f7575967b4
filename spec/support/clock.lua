--- Deadlines. Specs wait for something to happen, never for time to pass; where nothing can be waited on (a file, a process) `until_true`
--- asks again and again.
---
---   clock.now()                      monotonic enough: seconds with fractions
---   clock.seconds                    how long anything may be waited for
---   clock.deadline(seconds?)         the point in time after which waiting is an error
---   clock.left(deadline)             seconds until then, never below 0
---   clock.until_true(what, ask, seconds?)   the first true answer of ask(), or an error that names what

local socket = require("socket")

local clock = { seconds = tonumber(os.getenv("ATOMS_SPEC_SECONDS") or "20") }

clock.now = socket.gettime

function clock.deadline(seconds)
  return clock.now() + (seconds or clock.seconds)
end

function clock.left(deadline)
  return math.max(0, deadline - clock.now())
end

function clock.until_true(what, ask, seconds)
  local deadline = clock.deadline(seconds)
  while true do
    local answer = ask()
    if answer then
      return answer
    end
    if clock.now() > deadline then
      error("waited too long for " .. what, 2)
    end
    socket.sleep(0.005)
  end
end

return clock
