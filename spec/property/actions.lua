--- What a simulated client may do: each makes a command from what the client sees, which may be long out of date.
---
---   actions[name](member, dice) → command, expected refusals {code = true} — or nil when nothing of the kind can be done

local cjson = require("cjson")

local actions = {}

-- ---- looking --------------------------------------------------------------------------------------------------------------------------

local function sorted_keys(source)
  local keys = {}
  for key in pairs(source) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

local function pick_canvas(member, dice)
  return dice:pick(sorted_keys(member.replica.run.canvases))
end

--- A canvas and a block that stands on it, as this client sees it.
local function pick_block(member, dice)
  local canvas = pick_canvas(member, dice)
  local id = canvas and dice:pick(sorted_keys(member.replica.run.canvases[canvas].blocks))
  return canvas, id
end

local function pick_after(member, dice, canvas, parent, but)
  local siblings = {}
  for _, id in ipairs(member.replica.run:children(canvas, parent)) do
    if id ~= but then
      siblings[#siblings + 1] = id
    end
  end
  return #siblings > 0 and dice:chance(70) and dice:pick(siblings) or nil
end

local function command(member, kind, args, canvas)
  return { command_id = member:id("c"), type = kind, canvas_id = canvas, args = args }
end

local GONE = { block_removed = true, unknown_block = true }
local function with(codes, more)
  local out = {}
  for _, source in ipairs({ codes, more }) do
    for code in pairs(source) do
      out[code] = true
    end
  end
  return out
end

-- ---- texts ----------------------------------------------------------------------------------------------------------------------------

local WORDS = { "a", "b", "x ", "é", "日本", "😀", "the ", "\n", "word ", "e\u{301}", "👩\u{200d}👧", "\"\\" }

local function random_text(dice)
  local parts = {}
  for i = 1, dice:int(1, 3) do
    parts[i] = dice:pick(WORDS)
  end
  return table.concat(parts)
end

function actions.splice(member, dice)
  local canvas, id = pick_block(member, dice)
  local text = id and member.replica:text(canvas, id)
  if not text then
    return nil
  end
  local length = utf8.len(text)
  local at = dice:int(0, length)
  local del = dice:chance(45) and dice:int(0, math.min(6, length - at)) or 0
  local ins = (del == 0 or dice:chance(50)) and random_text(dice) or ""
  return member.replica:splice(canvas, id, at, del, ins), { block_removed = true }
end

-- ---- blocks ---------------------------------------------------------------------------------------------------------------------------

local KINDS = { "heading", "text", "task" }
local PROPS = {
  heading = { level = function(dice) return dice:int(1, 3) end },
  text = { style = function(dice) return dice:pick({ "plain", "quote", "code" }) end },
  task = {
    done = function(dice) return dice:chance(50) end,
    due = function(dice) return dice:pick({ "today", "later", "明日" }) end,
    estimate_days = function(dice) return dice:int(0, 1460) / 4 end,
    priority = function(dice) return dice:pick({ "low", "normal", "high" }) end,
  },
}

local function random_props(dice, kind)
  local props, names = {}, sorted_keys(PROPS[kind])
  for _ = 1, dice:int(1, 2) do
    local name = dice:pick(names)
    props[name] = PROPS[kind][name](dice)
  end
  return props
end

function actions.insert(member, dice)
  local canvas = pick_canvas(member, dice)
  if not canvas then
    return nil
  end
  local _, parent = pick_block(member, dice)
  if dice:chance(50) or not (parent and member.replica.run.canvases[canvas].blocks[parent]) then
    parent = nil
  end
  local kind = dice:pick(KINDS)
  local block = { id = member:id("b"), kind = kind, parent = parent, after = pick_after(member, dice, canvas, parent),
    text = random_text(dice), props = dice:chance(40) and random_props(dice, kind) or nil, vis = dice:chance(10) and "draft" or nil }
  return command(member, "block.insert", { block = block }, canvas), with(GONE, { bad_after = true })
end

function actions.update(member, dice)
  local canvas, id = pick_block(member, dice)
  if not id then
    return nil
  end
  local kind = member.replica.run.canvases[canvas].blocks[id].kind
  local args = { id = id, set = random_props(dice, kind) }
  for _, name in ipairs(dice:chance(25) and sorted_keys(random_props(dice, kind)) or {}) do
    args.unset = args.set[name] == nil and { name } or args.unset
  end
  if dice:chance(15) then
    args.vis = dice:chance(50) and "draft" or cjson.null
  end
  return command(member, "block.update", args, canvas), GONE
end

function actions.move(member, dice)
  local canvas, id = pick_block(member, dice)
  local _, parent = pick_block(member, dice)
  if not id then
    return nil
  elseif dice:chance(40) or not (parent and member.replica.run.canvases[canvas].blocks[parent]) then
    parent = nil
  end
  local args = { id = id, parent = parent or cjson.null, after = pick_after(member, dice, canvas, parent, id) }
  return command(member, "block.move", args, canvas), with(GONE, { cycle = true, bad_after = true })
end

function actions.remove(member, dice)
  local canvas, id = pick_block(member, dice)
  return id and command(member, "block.remove", { id = id }, canvas), GONE
end

function actions.commit(member, dice)
  local canvas = pick_canvas(member, dice)
  return canvas and command(member, "canvas.commit", { message = dice:chance(50) and random_text(dice) or nil }, canvas), {}
end

function actions.mount(member)
  return command(member, "canvas.mount", { canvas_type = "planning" }, "c2"), {}
end

-- ---- Tokens, graph, chat --------------------------------------------------------------------------------------------------------------

local TOKENS = {
  ["plan.title"] = random_text,
  ["plan.priority"] = function(dice) return dice:pick({ "low", "normal", "high" }) end,
  ["plan.days"] = function(dice) return dice:int(1, 365) end,
  ["ui.zoom"] = function(dice) return dice:int(1, 80) / 10 end,
}
local KEYS = sorted_keys(TOKENS)

function actions.token(member, dice)
  local key = dice:pick(KEYS)
  local made
  if dice:chance(20) then
    made = command(member, "token.set", { unset = { key } })
  else
    made = command(member, "token.set", { set = { [key] = TOKENS[key](dice) } })
  end
  made.key = key
  return made, { unknown_token = true }
end

function actions.conditional(member, dice)
  local made = actions.token(member, dice)
  local value = member.replica.run.tokens["plan.days"]
  made["if"] = { ["/tokens/plan.days"] = value == nil and cjson.null or value }
  return made, { condition_failed = true, unknown_token = true }
end

local function random_node(member, dice)
  local args = { id = "n" .. dice:int(1, 5) }
  if dice:chance(15) then
    args.remove = true
    return command(member, "graph.node.set", args), {}
  end
  args.state = dice:pick({ "pending", "running", "done", "failed" })
  args.label = dice:chance(40) and random_text(dice) or nil
  args.kind = dice:chance(30) and "step" or nil
  args.props = dice:chance(20) and { try = dice:int(1, 9) } or nil
  return command(member, "graph.node.set", args), {}
end

local function random_edge(member, dice)
  local args = { id = "e" .. dice:int(1, 5) }
  if dice:chance(20) then
    args.remove = true
  else
    args.from, args.to = "n" .. dice:int(1, 5), "n" .. dice:int(1, 5)
  end
  return command(member, "graph.edge.set", args), { unknown_node = true }
end

function actions.graph(member, dice)
  if member.kind ~= "agent" then
    return nil
  elseif dice:chance(15) then
    local args = { state = dice:pick({ "planning", "running", "done" }), detail = dice:chance(50) and random_text(dice) or nil }
    return command(member, "run.set_state", args), {}
  elseif dice:chance(50) then
    return random_node(member, dice)
  end
  return random_edge(member, dice)
end

function actions.say(member, dice)
  return command(member, "chat_send", { message_id = member:id("m"), text = random_text(dice) }), {}
end

--- A streamed message: opened, added to, and ended in the end. What it holds its author knows.
function actions.stream(member, dice)
  local message = member.message
  if not message then
    member.message = { id = member:id("m"), points = 0 }
    return command(member, "chat_send", { message_id = member.message.id, stream = true }), {}
  end
  local text, args = random_text(dice), { message_id = message.id, offset = message.points }
  args.text = text
  message.points = message.points + utf8.len(text)
  if dice:chance(30) then
    args["end"], member.message = "done", nil
  end
  return command(member, "chat.append", args), { chat_ended = true, chat_gap = true }
end

function actions.cancel(member, dice)
  local order = member.replica.run.chat.order
  return #order > 0 and command(member, "chat.cancel", { message_id = dice:pick(order) }), {}
end

-- ---- bringing back ----------------------------------------------------------------------------------------------------------------------

--- One's own latest commands, by what was sent.
function actions.undo(member, dice)
  local target = dice:pick(member.sent)
  if not target then
    return nil
  end
  local made = command(member, "undo", { of = target.command_id })
  made.key = target.key
  return made, { unknown_turn = true, already_undone = true }
end

function actions.restore(member, dice)
  local canvas = pick_canvas(member, dice)
  local rev = canvas and member.replica.run.canvases[canvas].rev or 0
  return rev > 0 and command(member, "canvas.restore", { rev = dice:int(1, rev) }, canvas), { unknown_commit = true }
end

-- ---- what must be refused -------------------------------------------------------------------------------------------------------------

local BAD = {
  function(member)
    return command(member, "block.update", { id = "nobody", set = { done = true } }, "c1"), "unknown_block"
  end,
  function(member)
    return command(member, "block.move", { id = "b0", parent = "b0" }, "c1"), "cycle"
  end,
  function(member)
    return command(member, "block.insert", { block = { id = member:id("x"), kind = "nothing" } }, "c1"), "unknown_kind"
  end,
  function(member)
    return command(member, "token.set", { set = { ["plan.days"] = 366 } }), "out_of_range"
  end,
  function(member)
    return command(member, "canvas.commit", {}, "c9"), "canvas_not_mounted"
  end,
  function(member)
    local bad = command(member, "block.splice", { id = "b0", at = 1000000, del = 0, ins = "x" }, "c1")
    bad.base = member.replica.run.cursor
    return bad.base and bad, "out_of_range"
  end,
}

function actions.bad(member, dice)
  local made, code = dice:pick(BAD)(member)
  if made then
    made.must_be_refused = true
  end
  return made, { [code] = true, block_removed = true }
end

return actions
