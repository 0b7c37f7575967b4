-- Random runs with something hidden in them and their twins without (twin_spec.lua): whoever may not see it is sent the same by both.
-- TWIN_SEED is the first seed, TWIN_COUNT how many are tried. Hidden blocks have no siblings that are seen: those share labels `pos`.

local support = require("support")
local policies = require("support.policies")
local twins = require("support.twins")
local json, shell = support.json, support.shell

local SEED, COUNT = tonumber(os.getenv("TWIN_SEED") or 1), tonumber(os.getenv("TWIN_COUNT") or 4)
local STEPS = 40

local BOARD = [[
return {
  name = "board", version = "1.0.0", api = 1, title = "Board", harness = "workbench",
  tokens = { ["board.title"] = { type = "string" }, ["board.spare"] = { type = "string" }, ["board.cover"] = { type = "sidecar" } },
  kinds = { note = { text = true, props = { cost = { type = "integer" }, image = { type = "sidecar" } } } },
}
]]

local LENSES = policies.lens([[
  local all = lens.extend(lens.everything(), { vision = true, history = true })
  if actor.role == "planner" then return lens.extend(all, { vision = false }) end
  if actor.role == "viewer" then return lens.extend(lens.read_only(lens.hide_vis(all, { "internal" })), { logs = { read = false } }) end
  return all
]])

local function artifact(id)
  return json.object({ artifact_id = id })
end

--- value: one world on its way, and what stands in it; equal seeds choose equally in all worlds
local Play = {}
Play.__index = Play

function Play:name(prefix)
  self.count = self.count + 1
  return prefix .. self.count
end

local function pick(list)
  return list[math.random(#list)]
end

local function chance(percent)
  return math.random(100) <= percent
end

--- Properties of a note; a picture in the hidden world of a planner.
function Play:props()
  local has_image = chance(50) and self.role == "planner" and self.world.kind == "hidden"
  return json.object({ cost = self.count, image = has_image and artifact(self:name("art")) or nil })
end

local shown = {
  function(self)
    local id = self:name("b")
    self.count = self.count + 1 -- a picture has a name, too
    local count = self.count
    local block = json.object({ id = id, kind = "note", after = self.blocks[#self.blocks], text = id, props = self:props() })
    block.vis = chance(30) and "draft" or nil
    self.count = count
    self.world:shown(self.editor, "block.insert", { block = block })
    table.insert(self.blocks, id)
  end,
  function(self)
    local count = self.count
    local args = { id = pick(self.blocks), set = self:props() }
    args.vis = chance(30) and "final" or nil
    self.count = count + 1
    self.world:shown(self.editor, "block.update", args)
  end,
  function(self)
    if #self.blocks > 2 then
      local id = table.remove(self.blocks, math.random(#self.blocks))
      self.world:shown(self.editor, "block.remove", { id = id })
    end
  end,
  function(self)
    self.world:shown(self.editor, "chat_send", { message_id = self:name("m"), text = "hi", stream = chance(40) or nil })
  end,
  function(self)
    local id = self:name("n")
    self.world:shown(self.editor, "graph.node.set", { id = id, kind = "step", state = "running" })
    self.node = id
  end,
  function(self)
    self.world:shown(self.editor, "canvas.commit", { message = self:name("revision ") }, { canvas_id = "c1" })
  end,
}

local concealed = {
  planner = {
    function(self)
      local picture = json.object({ image = artifact(self:name("art")) })
      self.world:concealed(self.editor, "block.update", { id = pick(self.blocks), set = picture })
    end,
    function(self)
      self.world:concealed(self.editor, "token.set", { set = json.object({ ["board.cover"] = artifact(self:name("art")) }) })
    end,
    function(self)
      local id, origin = self:name("own"), self:name("turn")
      self.reader:send("its note", "block.insert", { block = json.object({ id = id, kind = "note" }) }, { origin = origin, n = 1 })
      self.world:concealed(self.editor, "block.update", { id = id, set = json.object({ image = artifact(self:name("art")) }) })
      self.reader:send("undone", "undo", { origin = origin })
    end,
  },
  viewer = {
    function(self)
      local block = { id = self:name("h"), kind = "note", parent = pick(self.blocks), text = "XYZZY", vis = "internal" }
      self.world:concealed(self.editor, "block.insert", { block = json.object(block) })
    end,
    function(self)
      self.world:concealed(self.editor, "chat_send", { message_id = self:name("hm"), text = "XYZZY", vis = "internal" })
    end,
    function(self)
      self.world:concealed(self.editor, "graph.node.set", { id = self:name("hn"), kind = "step", vis = "internal" })
      if self.node then
        self.world:concealed(self.editor, "graph.edge.set", { id = self:name("he"), from = self.node, to = "hn" .. self.count - 1 })
      end
    end,
    function(self)
      local line = json.object({ level = "info", message = "XYZZY" })
      self.world:concealed(self.editor, "log.write", { lines = json.array({ line }) })
    end,
  },
}

function Play:run(seed)
  local from
  math.randomseed(seed)
  self.world:shown(self.editor, "canvas.mount", { canvas_type = "board" })
  for step = 1, STEPS do
    local acts = #self.blocks > 0 and chance(50) and concealed[self.role] or shown
    acts[#self.blocks > 0 and math.random(#acts) or 1](self)
    from = step == STEPS // 2 and self.reader:get("/v1/state").json.cursor or from
  end
  self.world:shown(self.editor, "canvas.commit")
  self.world:shown(self.editor, "canvas.commit")
  self.world:shown(self.editor, "token.set", { set = json.object({ ["board.title"] = "LAST" }) })
  self.reader:look("LAST", from)
end

describe("random runs with something hidden", function()
  local gateway

  setup(function()
    local canvases = shell.folder() .. "/canvases"
    shell.must({ "cp", "-r", "canvases", canvases })
    shell.must({ "mkdir", "-p", canvases .. "/board" })
    shell.write(canvases .. "/board/manifest.lua", BOARD)
    local folder = policies.folder({ ["token_lens.lua"] = LENSES })
    gateway = support.start({ env = { ATOMS_CANVASES_DIR = canvases, ATOMS_POLICIES_DIR = folder.path } })
  end)

  teardown(support.stop_all)

  local function play(role, seed, kind)
    local world = twins.world(gateway, kind, ("%s-%d-%s"):format(role, seed, kind:sub(1, 1)), { unset = json.array({ "board.spare" }) })
    local reader = twins.reader(world, gateway:bearer({ actor = "reader", kind = "agent", role = role }))
    local editor = gateway:bearer({ actor = "ed", kind = "agent", role = "editor" })
    setmetatable({ world = world, reader = reader, editor = editor, role = role, blocks = {}, count = 0 }, Play):run(seed)
    return reader
  end

  for seed = SEED, SEED + COUNT - 1 do
    for _, role in ipairs({ "planner", "viewer" }) do
      it(("leave a %s no trace, seed %d"):format(role, seed), function()
        twins.same(play(role, seed, "quiet"), play(role, seed, "hidden"))
      end)
    end
  end
end)
