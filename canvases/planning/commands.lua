-- The planning canvas's own commands: what they stand for. Blocks and Tokens are looked up through the lens of whoever sent the command.

local ops = require("atoms.ops")

local function last(ids)
  return ids[#ids]
end

--- A task as the last below a heading, or below all else.
local function add_task(command, view)
  local args = command.args
  if args.under and (view.block(args.under) or {}).kind ~= "heading" then
    return nil, { code = "no_heading", message = "a task comes under a heading", path = "/under" }
  end
  return {
    ops.insert({
      id = args.id,
      kind = "task",
      parent = args.under,
      after = last(view.children(args.under)),
      props = { done = false, estimate_days = args.estimate_days },
      text = args.title,
    }),
  }
end

return {
  api = 1,
  commands = {
    ["planning.add_task"] = { reduce = add_task },
  },
}
