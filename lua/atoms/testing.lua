--- For specs of policies and canvases: commands and views as hooks get them, made up from plain tables.

local testing = {}

local function below(blocks, parent)
  local ids = {}
  for id, block in pairs(blocks) do
    if block.parent == parent then
      ids[#ids + 1] = id
    end
  end
  table.sort(ids, function(a, b)
    local x, y = blocks[a].pos or a, blocks[b].pos or b
    if x == y then
      return a < b
    end
    return x < y
  end)
  return ids
end

--- A view on these blocks and Tokens. Blocks need no more than the members that a hook looks at.
--- @param world { canvas_type?: string, blocks?: table<string, table>, tokens?: table<string, any> }
--- @return atoms.View
function testing.view(world)
  local blocks, tokens = world.blocks or {}, world.tokens or {}
  return {
    canvas_type = world.canvas_type,
    block = function(id)
      return blocks[id]
    end,
    children = function(id)
      return below(blocks, id)
    end,
    token = function(key)
      return tokens[key]
    end,
  }
end

--- A command of that type, from an editor unless the arguments say otherwise.
--- @param kind string the command's type
--- @param args table<string, any>|nil
--- @param actor { id?: string, kind?: string, role?: string }|nil
--- @return atoms.Command
function testing.command(kind, args, actor)
  actor = actor or {}
  return {
    command_id = "c1",
    type = kind,
    canvas_id = "canvas",
    args = args or {},
    actor = { id = actor.id or "ann", kind = actor.kind or "user", role = actor.role or "editor" },
    scope = testing.scope(),
  }
end

--- An actor of that role, as `lens` gets it.
--- @param role string
--- @param kind string|nil "user" unless given
--- @return atoms.Actor
function testing.actor(role, kind)
  return { id = "ann", kind = kind or "user", role = role, claims = {} }
end

--- The scope of everything here.
--- @return atoms.Scope of a tenant named acme
function testing.scope()
  return { tenant_id = "acme", mode = "dev", project_id = "p1", surface_id = "web", app_id = "demo", run_id = "r1" }
end

return testing
