--- Faults between the gateway and a client's fold, and inside its transform: the check must find every one of them.
---
---   faults.names                            in order
---   faults.tamper(name, dice) → tamper      tamper(member, envelope) → the envelopes that the client gets instead; strikes once
---   faults.swallow(dice) → swallow          for the fault `lose`: swallow(item) → a made up answer instead of the gateway's, once
---   faults.break_transform()                for the fault `transform`: every carried insert lands one place off

local text_op = require("atoms.text_op")

local faults = { names = { "drop", "duplicate", "splice", "resurrect", "reorder", "token", "transform", "lose" } }

local function first_op(envelope, name)
  local op = envelope.type == "state_patch" and envelope.data.ops[1]
  return op and op.op == name and op or nil
end

--- Each: nil when the envelope does not suit the fault, else what comes instead.
local strikes = {}

--- One event is lost.
function strikes.drop(envelope)
  return envelope.cause and {} or nil
end

--- One event comes twice.
function strikes.duplicate(envelope)
  return envelope.cause and { envelope, envelope } or nil
end

--- One splice lands one place off.
function strikes.splice(envelope)
  local op = first_op(envelope, "splice")
  if op and op.at > 0 then
    op.at = op.at - 1
    return { envelope }
  end
end

--- Update beats remove: the removed block stays.
function strikes.resurrect(envelope)
  local op = first_op(envelope, "remove")
  if op then
    envelope.data.ops[1] = { op = "update", id = op.id, set = {}, unset = {} }
    return { envelope }
  end
end

--- A block moves to another place among its siblings.
function strikes.reorder(envelope)
  local op = first_op(envelope, "move")
  if op then
    op.pos = op.pos .. "V"
    return { envelope }
  end
end

--- A Token gets another value.
function strikes.token(envelope)
  if envelope.type == "token_patch" and envelope.data.set["plan.days"] then
    envelope.data.set["plan.days"] = envelope.data.set["plan.days"] + 1
    return { envelope }
  end
end

--- How many suitable events pass before it strikes: most are suitable to be lost.
local PATIENCE = { drop = 12, duplicate = 12 }

function faults.tamper(name, dice)
  local strike, left = strikes[name], dice:int(0, PATIENCE[name] or 2)
  return function(member, envelope)
    local instead = strike and not member.is_struck and strike(envelope)
    if instead and left > 0 then
      left = left - 1
      return { envelope }
    elseif instead then
      member.is_struck = true
      return instead
    end
    return { envelope }
  end
end

--- One command never arrives, and is acknowledged all the same.
function faults.swallow(dice)
  local left = dice:int(1, 6)
  return function(item)
    local command = item.commands[1]
    left = left - 1
    local is_suitable = command.type == "token.set" and command.command_id ~= "the-end" and not command.must_be_refused
    if left <= 0 and is_suitable and not item.first and #item.commands == 1 then
      left = math.huge
      local body = ('{"status":"committed","command_id":"%s","cursor":"x","events":1}'):format(command.command_id)
      return { is_done = true, status = 200, body = body }
    end
  end
end

function faults.break_transform()
  local transform = text_op.transform
  function text_op.transform(a, b, a_is_later)
    local out = transform(a, b, a_is_later)
    if out.ins ~= "" and out.at ~= a.at then
      out.at = out.at - 1
    end
    return out
  end
end

return faults
