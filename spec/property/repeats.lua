--- What of a request a correct client sends again when its connection broke before the answer: what it has replaced since it does not, as
--- its old number would fit the gap that its replacement has filled.
---
---   repeats.cut(item) → boolean      takes the superseded commands out of item{commands=, allowed=, is_atomic=, first=}; false: nothing is
---                                    left to send
---   repeats.note(item, repeated)     repeated[command_id] = true for each that is sent again

local repeats = {}

--- Refused once, it is not sent again: the client has gone on from the refusal.
local function is_refused(first)
  return first and first.ticket.is_done and first.ticket.status ~= 200
end

function repeats.cut(item)
  local commands, allowed = {}, {}
  for i, command in ipairs(item.commands) do
    if not command.is_superseded then
      commands[#commands + 1], allowed[#allowed + 1] = command, item.allowed[i]
    end
  end
  if #commands == 0 or (item.is_atomic and #commands < #item.commands) or is_refused(item.first) then
    return false
  end
  item.commands, item.allowed = commands, allowed
  return true
end

function repeats.note(item, repeated)
  for _, command in ipairs(item.commands) do
    repeated[command.command_id] = true
  end
end

return repeats
