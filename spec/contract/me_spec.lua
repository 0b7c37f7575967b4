-- GET /v1/me and /v1/canvases: what a program may show its user, as far as the lens admits it.

local support = require("support")
local policies = require("support.policies")
local shell = require("support.shell")
local command, json = support.command, support.json

local NARROW = policies.lens([[
  if actor.role == "guest" then
    return {
      tokens = { read = { "plan.*" }, write = { "plan.days" } },
      blocks = { read = { { kinds = { "task" } } }, redact = { { kinds = { "*" }, props = { "assignee" } } } },
      chat = { read = { { authors = { "user" } } } },
      events = { "*" },
      commands = { "token.set", "chat_send" },
    }
  end
  if actor.role == "blind" then
    return { chat = { read = true }, events = { "*" } }
  end
  if actor.role == "deaf" then
    local lens = require("atoms.lens")
    return lens.extend(lens.everything(), { chat = { read = false }, graph = { read = false }, logs = { write = false } })
  end
  return require("defaults.token_lens").lens(actor, scope)
]])

describe("who am I", function()
  local gateway

  setup(function()
    local folder = policies.folder({ ["tenants/acme/token_lens.lua"] = NARROW })
    gateway = support.start({ env = { ATOMS_POLICIES_DIR = folder.path } })
  end)

  teardown(support.stop_all)

  local function ask(path, options)
    return gateway:get(path, gateway:bearer(options), gateway:ids({ run_id = false }))
  end

  local function may(options)
    return ask("/v1/me", options).json.may
  end

  it("tells actor, role, scope, the end of the bearer and which policies decided", function()
    local me = ask("/v1/me", { actor = "bot", kind = "agent", role = "planner" }).json
    assert.same({ id = "bot", kind = "agent" }, me.actor)
    assert.equal("planner", me.role)
    assert.same({ tenant_id = "acme", mode = "dev", project_id = "p1", surface_id = "web", app_id = "demo" }, me.scope)
    assert.is_true(me.generation > 0)
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT", me.expires_at)
  end)

  it("says what each role that ships may do", function()
    local seen = {}
    for _, role in ipairs({ "owner", "editor", "viewer", "planner", "director", "service" }) do
      local rights = may({ role = role, kind = "agent" })
      seen[role] = ("%s %s %s %s"):format(rights.history, rights.vision, rights.chat.write, rights.logs.read)
    end
    assert.same({ owner = "true true true true", editor = "true true true true", viewer = "true true false false",
                  planner = "true false true true", director = "true true true true", service = "true true true true" }, seen)
  end)

  it("names Tokens, kinds and commands that the lens admits, and no others", function()
    local rights = may({ role = "guest" })
    assert.same({ "token.set" }, rights.commands)
    assert.same({ ["plan.title"] = "read", ["plan.priority"] = "read", ["plan.days"] = "write" }, rights.tokens)
    assert.same({ planning = { task = "read" } }, rights.canvases)
    assert.same({ read = true, write = false }, rights.chat)
    assert.same({ false, false, false }, { rights.history, rights.vision, rights.presence })
  end)

  it("names no event type that could never arrive", function()
    local function types(options)
      local set = {}
      for _, name in ipairs(may(options).events) do
        set[name] = true
      end
      return { set.snapshot_created or false, set.log_line or false, set.chat_message or false }
    end
    assert.same({ true, true, true }, types({ role = "director" }))
    assert.same({ false, true, true }, types({ role = "planner" }))
    assert.same({ true, false, true }, types({ role = "viewer" }))
  end)

  it("offers no command for what may not be written, as nobody writes what it does not read", function()
    local rights = may({ role = "deaf", kind = "agent" })
    assert.same({ read = false, write = false }, rights.chat)
    assert.same({ read = false, write = false }, rights.graph)
    for _, type in ipairs(rights.commands) do
      assert.is_nil(type:find("^chat") or type:find("^graph") or type:find("^log"), type)
    end
    local deaf, message = gateway:bearer({ role = "deaf" }), command.maker()("chat_send", { text = "hello" })
    local is_taken, refusal = pcall(gateway.send, gateway, deaf, message)
    assert.is_false(is_taken)
    assert.matches("not_allowed", refusal)
  end)

  it("offers what agents alone may do to agents alone", function()
    assert.is_false(may({ role = "editor", kind = "user" }).graph.write)
    assert.is_true(may({ role = "editor", kind = "agent" }).graph.write)
  end)

  it("is narrowed by the bearer", function()
    assert.same({ ["ui.zoom"] = "write" }, may({ role = "editor", tokens = json.array({ "ui.*" }) }).tokens)
  end)

  it("shows canvases as the lens does: kinds, properties, tools and Tokens", function()
    local canvas = ask("/v1/canvases", { role = "guest" }).json.canvases[1]
    assert.equal("planning", canvas.canvas_type)
    assert.is_nil(canvas.manifest.kinds.heading)
    assert.is_nil(canvas.manifest.kinds.task.props.assignee)
    assert.is_truthy(canvas.manifest.kinds.task.props.done)
    assert.is_nil(canvas.TokenCatalog["ui.zoom"])
    local tools = {}
    for i, tool in ipairs(canvas.manifest.tools) do
      tools[i] = tool.name
    end
    assert.same({ "chat", "plan" }, tools)
  end)

  it("shows no canvas of which nothing can be seen", function()
    assert.same({}, ask("/v1/canvases", { role = "blind" }).json.canvases)
    assert.same({}, may({ role = "blind" }).canvases)
  end)

  it("answers nobody whom the policies admit to nothing", function()
    for _, path in ipairs({ "/v1/me", "/v1/canvases" }) do
      local answer = ask(path, { role = "nobody" })
      assert.same({ 403, "not_allowed" }, { answer.status, answer.json.code })
    end
  end)

  it("needs the scope, but no run", function()
    local bearer = gateway:bearer({})
    local answer = gateway:get("/v1/me", bearer, gateway:ids({ run_id = false, project_id = false }))
    assert.same({ 400, "missing_id", "project_id" }, { answer.status, answer.json.code, answer.json.path })
    assert.equal(403, gateway:get("/v1/me", bearer, gateway:ids({ run_id = false, tenant_id = "other" })).status)
    assert.equal(401, gateway:get("/v1/canvases", false, gateway:ids({ run_id = false })).status)
  end)
end)

describe("a kind that must have a property", function()
  local STILLS = [[
return {
  name = "stills", version = "1.0.0", api = 1, title = "Stills", harness = "workbench", tools = {}, tokens = {},
  kinds = {
    still = { text = false, props = { image = { type = "sidecar", required = true } } },
    plan = { text = false, props = { days = { type = "integer", required = true } } },
    sketch = { text = false, props = { image = { type = "sidecar" } } },
  },
}
]]

  teardown(support.stop_all)

  it("is written by whoever may set that property", function()
    local path = shell.folder() .. "/canvases"
    shell.must({ "cp", "-r", "canvases", path })
    shell.must({ "mkdir", "-p", path .. "/stills" })
    shell.write(path .. "/stills/manifest.lua", STILLS)
    local gateway = support.start({ env = { ATOMS_CANVASES_DIR = path } })
    local function kinds(role)
      local bearer = gateway:bearer({ role = role, kind = "agent" })
      return gateway:get("/v1/me", bearer, gateway:ids({ run_id = false })).json.may.canvases.stills
    end
    assert.same({ still = "write", plan = "write", sketch = "write" }, kinds("director"))
    assert.same({ still = "read", plan = "write", sketch = "write" }, kinds("planner"))
    local make, planner = command.maker(), gateway:bearer({ role = "planner", kind = "agent" })
    gateway:send_all(gateway:bearer({ role = "director" }), { make("canvas.mount", { canvas_type = "stills" }) })
    local answer = gateway:post("/v1/commands", planner, make:insert("s", { kind = "still" })).json
    assert.same({ "not_allowed", "/args/block/kind" }, { answer.code, answer.path })
  end)
end)
