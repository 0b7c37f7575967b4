--- Commands of the contract as tables, with fresh ids.
---
---   command.id(prefix?) → an id that no other call gives            command.run() → a fresh run id
---   command.maker{…scope ids, canvas_id=} → make; make(type, args, more) → a command; make.mount(), make.insert(block), make.splice(…) …
---   command.history(make, length) → commands that mount make's canvas and then change blocks, texts, tokens and revisions
---   The members of `more` replace or add to those of the envelope; json.null or false takes one away.

local json = require("support.json")

local command = {}

local count = 0
local stamp = ("%x"):format(os.time())

function command.id(prefix)
  count = count + 1
  return ("%s-%s-%d"):format(prefix or "c", stamp, count)
end

function command.run()
  return command.id("run")
end

local Maker = {}
Maker.__index = Maker

function command.maker(scope)
  local ids = { tenant_id = "acme", mode = "dev", project_id = "p1", surface_id = "web", app_id = "demo", canvas_id = "c1" }
  ids.run_id = command.run()
  for name, value in pairs(scope or {}) do
    ids[name] = value
  end
  return setmetatable({ ids = ids, run_id = ids.run_id }, Maker)
end

local run_wide = { ["token.set"] = true, ["run.start"] = true, ["run.set_state"] = true }

function Maker:__call(kind, args, more)
  local made = json.object({ command_id = command.id(), type = kind, args = args or json.object() })
  for _, source in ipairs({ self.ids, more or {} }) do
    for name, value in pairs(source) do
      made[name] = value
      if value == json.null or value == false then
        made[name] = nil
      end
    end
  end
  if run_wide[kind] and not (more and more.canvas_id) then
    made.canvas_id = nil
  end
  return made
end

function Maker:mount(more)
  return self("canvas.mount", { canvas_type = "planning" }, more)
end

function Maker:insert(id, more_block, more)
  local block = json.object({ id = id, kind = "text", parent = json.null })
  for name, value in pairs(more_block or {}) do
    block[name] = value
  end
  return self("block.insert", { block = block }, more)
end

function Maker:tokens(set, unset, more)
  return self("token.set", { set = json.object(set or {}), unset = json.array(unset or {}) }, more)
end

function Maker:update(id, set, more)
  return self("block.update", { id = id, set = json.object(set) }, more)
end

function Maker:splice(id, at, del, ins, more)
  return self("block.splice", { id = id, at = at, del = del, ins = ins }, more)
end

local words = { "alpha", "βήτα", "γ😀", "delta", "a line\nand another", "\"quoted\" \\ back" }

--- Deterministic, and of every kind that needs no base.
function command.history(make, length)
  local list, blocks = { make:mount() }, 0
  for i = 1, length - 1 do
    local word = words[i % #words + 1]
    if i % 7 == 0 then
      list[#list + 1] = make("canvas.commit", { message = word })
    elseif i % 5 == 0 then
      list[#list + 1] = make:tokens({ ["plan.days"] = i % 365 + 1, ["plan.title"] = word })
    elseif i % 3 == 0 then
      list[#list + 1] = make:update("b" .. blocks, { done = i % 2 == 0, due = word })
    else
      blocks = blocks + 1
      list[#list + 1] = make:insert("b" .. blocks, { kind = "task", text = word, after = blocks > 1 and "b" .. (blocks - 1) or nil })
    end
  end
  return list
end

return command
