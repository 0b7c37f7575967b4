--- Lens plans: how to write one, and how to ask one what it admits. A plan is plain data: what an actor may see and write, by lists and
--- rules; what it does not mention it does not grant. The gateway compiles plans and applies them itself; the questions here answer alike
--- (spec/vectors/lens.json), for specs and tools.
---
--- Functions that change a plan answer a new one.

local lens = {}

--- Globs in order, the last that matches decides; "!" before one excludes what it matches; "*" matches any run of characters.
--- @alias atoms.GlobList string[]

--- Admits what fits every member that it has.
--- @class atoms.LensRule
--- @field kinds? atoms.GlobList block kinds, or kinds of graph nodes
--- @field vis? atoms.GlobList labels; what bears none has the label ""
--- @field authors? string[] "user", "agent", "service", or "self": made by the very actor that asks
--- @field canvases? atoms.GlobList canvas types

--- @class atoms.LensRedaction
--- @field kinds? atoms.GlobList
--- @field canvases? atoms.GlobList
--- @field props? atoms.GlobList property names that are left out
--- @field text? boolean the text reads ""

--- Rules: admitted is what any of them admits; `true` admits everything.
--- @class atoms.LensPlan
--- @field history? boolean may read the past
--- @field vision? boolean knows of media sidecars
--- @field presence? boolean sees who else is there and what they do, and is seen
--- @field tokens? { read?: atoms.GlobList, write?: atoms.GlobList } Token keys
--- @field blocks? { read?: atoms.LensRule[]|true, write?: atoms.LensRule[]|true, redact?: atoms.LensRedaction[] }
--- @field graph? { read?: atoms.LensRule[]|true, write?: boolean }
--- @field chat? { read?: atoms.LensRule[]|true, write?: boolean }
--- @field logs? { read?: boolean, write?: boolean }
--- @field events? atoms.GlobList types of events that reach it at all
--- @field commands? atoms.GlobList types of commands that it may send
--- @field transform? string a name in the same file's `transforms`

local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local out = {}
  for key, member in pairs(value) do
    out[key] = copy(member)
  end
  return out
end

--- A plan to take things away from.
--- @return atoms.LensPlan that sees and writes everything
function lens.everything()
  return {
    history = true,
    vision = true,
    presence = true,
    tokens = { read = { "*" }, write = { "*" } },
    blocks = { read = true, write = true },
    graph = { read = true, write = true },
    chat = { read = true, write = true },
    logs = { read = true, write = true },
    events = { "*" },
    commands = { "*" },
  }
end

local function is_list(value)
  return type(value) == "table" and #value > 0
end

-- Whoever takes something away by a slip would take nothing away, so each is an error; level 3 is the line that asked.
local function need_plan(plan)
  if type(plan) ~= "table" then
    error("there is no plan to change: who is admitted to nothing has none, so ask for it first, as in `plan and …`", 3)
  end
end

local function need_texts(list, what)
  local wanted = what .. " must be a list of texts without \"!\", such as { \"internal\" }"
  if type(list) ~= "table" then
    error(wanted, 3)
  end
  for index, text in pairs(list) do
    if math.type(index) ~= "integer" or type(text) ~= "string" or text:sub(1, 1) == "!" then
      error(wanted, 3)
    end
  end
end

--- Members of `changes` replace those of the plan; members that are tables with names are joined, lists are replaced whole.
--- @param plan atoms.LensPlan
--- @param changes atoms.LensPlan
--- @return atoms.LensPlan
function lens.extend(plan, changes)
  need_plan(plan)
  local out = copy(plan)
  for key, change in pairs(changes) do
    if type(change) == "table" and type(out[key]) == "table" and not is_list(change) and not is_list(out[key]) then
      out[key] = lens.extend(out[key], change)
    else
      out[key] = copy(change)
    end
  end
  return out
end

--- Takes every right to write away.
--- @param plan atoms.LensPlan
--- @return atoms.LensPlan
function lens.read_only(plan)
  need_plan(plan)
  local out = copy(plan)
  out.commands = nil
  for _, part in ipairs({ "tokens", "blocks", "graph", "chat", "logs" }) do
    if out[part] then
      out[part].write = nil
    end
  end
  return out
end

local function exclude(list, globs)
  local out = copy(list)
  for _, glob in ipairs(globs) do
    out[#out + 1] = "!" .. glob
  end
  return out
end

--- Hides Tokens: it neither sees nor sets a key that one of the globs matches.
--- @param plan atoms.LensPlan
--- @param globs string[] without "!"
--- @return atoms.LensPlan
function lens.hide_tokens(plan, globs)
  need_plan(plan)
  need_texts(globs, "globs of Tokens")
  local out = copy(plan)
  for name, list in pairs(out.tokens or {}) do
    out.tokens[name] = exclude(list, globs)
  end
  return out
end

local function rules_without(rules, labels)
  local out = {}
  for index, rule in ipairs(rules == true and { {} } or rules or {}) do
    out[index] = copy(rule)
    out[index].vis = exclude(rule.vis or { "*" }, labels)
  end
  return out
end

--- Hides blocks, nodes and messages that bear one of these labels of `vis`.
--- @param plan atoms.LensPlan
--- @param labels string[] without "!"
--- @return atoms.LensPlan
function lens.hide_vis(plan, labels)
  need_plan(plan)
  need_texts(labels, "labels of vis")
  local out = copy(plan)
  for _, part in ipairs({ "blocks", "graph", "chat" }) do
    for _, right in ipairs({ "read", "write" }) do
      local rules = out[part] and out[part][right]
      if type(rules) == "table" or (rules == true and (part == "blocks" or right == "read")) then
        out[part][right] = rules_without(rules, labels)
      end
    end
  end
  return out
end

--- Leaves properties, or the text, of some kinds of blocks out.
--- @param plan atoms.LensPlan
--- @param redaction atoms.LensRedaction
--- @return atoms.LensPlan
function lens.redact(plan, redaction)
  need_plan(plan)
  if type(redaction) ~= "table" or not (redaction.props or redaction.text) then
    error("a redaction says what is left out: props = { \"budget\" }, text = true, or both", 2)
  end
  local out = copy(plan)
  out.blocks = out.blocks or {}
  out.blocks.redact = out.blocks.redact or {}
  out.blocks.redact[#out.blocks.redact + 1] = copy(redaction)
  return out
end

-- ---- questions --------------------------------------------------------------------------------------------------------------------

--- Whether one glob matches.
--- @param glob string without "!"
--- @param text string
--- @return boolean
function lens.matches(glob, text)
  local pattern = glob:gsub("[^%w*]", "%%%0"):gsub("%*+", ".*")
  return text:find("^" .. pattern .. "$") ~= nil
end

--- Whether a list admits a text: its last glob that matches decides.
--- @param list atoms.GlobList|nil
--- @param text string
--- @return boolean
function lens.admits(list, text)
  for index = #(list or {}), 1, -1 do
    local glob = list[index]
    local excludes = glob:sub(1, 1) == "!"
    if lens.matches(excludes and glob:sub(2) or glob, text) then
      return not excludes
    end
  end
  return false
end

local function author_fits(authors, thing)
  for _, author in ipairs(authors) do
    if author == thing.author or (author == "self" and thing.is_own) then
      return true
    end
  end
  return false
end

local function rule_fits(rule, thing)
  return (not rule.kinds or lens.admits(rule.kinds, thing.kind or ""))
    and (not rule.vis or lens.admits(rule.vis, thing.vis or ""))
    and (not rule.canvases or lens.admits(rule.canvases, thing.canvas_type or ""))
    and (not rule.authors or author_fits(rule.authors, thing))
end

--- What a rule is asked about.
--- @class atoms.LensThing
--- @field kind? string
--- @field vis? string
--- @field author? string kind of its author: "user", "agent" or "service"
--- @field is_own? boolean made by the actor that asks
--- @field canvas_type? string

--- Whether rules admit a block, a node or a message.
--- @param rules atoms.LensRule[]|true|nil
--- @param thing atoms.LensThing
--- @return boolean
function lens.rules_admit(rules, thing)
  if rules == true then
    return true
  end
  for _, rule in ipairs(rules or {}) do
    if rule_fits(rule, thing) then
      return true
    end
  end
  return false
end

--- Whether it sees a Token.
--- @param plan atoms.LensPlan
--- @param key string
--- @return boolean
function lens.reads_token(plan, key)
  return plan.tokens ~= nil and lens.admits(plan.tokens.read, key)
end

--- Whether it sets a Token: what it does not see it does not set.
--- @param plan atoms.LensPlan
--- @param key string
--- @return boolean
function lens.writes_token(plan, key)
  return lens.reads_token(plan, key) and lens.admits(plan.tokens.write, key)
end

--- Whether it sees a block.
--- @param plan atoms.LensPlan
--- @param block atoms.LensThing
--- @return boolean
function lens.reads_block(plan, block)
  return plan.blocks ~= nil and lens.rules_admit(plan.blocks.read, block)
end

--- Whether it changes a block.
--- @param plan atoms.LensPlan
--- @param block atoms.LensThing
--- @return boolean
function lens.writes_block(plan, block)
  return lens.reads_block(plan, block) and lens.rules_admit(plan.blocks.write, block)
end

local function redaction_fits(redaction, block)
  return (not redaction.kinds or lens.admits(redaction.kinds, block.kind or ""))
    and (not redaction.canvases or lens.admits(redaction.canvases, block.canvas_type or ""))
end

--- Whether a block that it sees is shown without a property, or without its text.
--- @param plan atoms.LensPlan
--- @param block atoms.LensThing
--- @param prop string|nil a property; nil: the text
--- @return boolean
function lens.redacts(plan, block, prop)
  for _, redaction in ipairs(plan.blocks and plan.blocks.redact or {}) do
    if redaction_fits(redaction, block) and (prop and lens.admits(redaction.props, prop) or not prop and redaction.text == true) then
      return true
    end
  end
  return false
end

return lens
