-- Runs that are opened from a flow of the registry, and the file that holds them.

local support = require("support")
local command, json, shell = support.command, support.json, support.shell
local refused_start = require("support.gateway").refused

local REGISTRY = [[
return { tenants = {
  acme = {
    projects = { p1 = { flows = { { flow_id = "own", nodes = { { id = "n", state = "held" } } } } }, p2 = {} },
    flows = {
      { flow_id = "two", canvases = { { canvas_id = "z", canvas_type = "planning" }, { canvas_id = "a", canvas_type = "planning" } } },
      { flow_id = "empty", nodes = {}, edges = {}, canvases = {} },
    },
  },
} }
]]

describe("a run of a flow", function()
  local gateway, ann, make

  setup(function()
    gateway = support.start({})
    ann = gateway:bearer({ actor = "ann" })
  end)

  before_each(function()
    make = command.maker({ canvas_id = false })
  end)

  teardown(support.stop_all)

  local function start(flow_id, more)
    return make("run.start", { flow_id = flow_id }, more)
  end

  local function assert_refused(answer, status, code)
    assert.same({ status, code, "/args/flow_id" }, { answer.status, answer.json.code, answer.json.path }, answer.body)
  end

  it("opens with the shipped demo's graph and canvas, then runs", function()
    assert.equal(3, gateway:send(ann, start("demo")).events)
    local state = gateway:state(ann, { run_id = make.run_id })
    assert.same({ "running", "demo" }, { state.graph.state, state.graph.flow_id })
    assert.equal("pending", state.graph.nodes.plan.state)
    assert.equal("planning", state.canvases.plan.type)
    local types = {}
    for i, item in ipairs(gateway:events(ann, { run_id = make.run_id }).events) do
      types[i] = item.event.type
    end
    assert.same({ "state_patch", "CANVAS_READY", "state_patch" }, types)
  end)

  it("is opened once, however often that is asked", function()
    local first = start("demo")
    local answer = gateway:send(ann, first)
    assert.same(answer, gateway:send(ann, first))
    assert.equal(0, gateway:send(ann, start("demo")).events)
  end)

  it("is not opened from another flow, nor once it began without one", function()
    gateway:send(ann, start("demo"))
    assert_refused(gateway:post("/v1/commands", ann, start("other")), 409, "run_exists")
    make = command.maker({ canvas_id = false })
    gateway:send(ann, make("canvas.mount", { canvas_type = "planning" }, { canvas_id = "c1" }))
    assert_refused(gateway:post("/v1/commands", ann, start("demo")), 409, "run_exists")
  end)

  it("is not opened from an unknown flow, and may then be opened from a known one", function()
    assert_refused(gateway:post("/v1/commands", ann, start("none")), 422, "unknown_flow")
    assert.equal(3, gateway:send(ann, start("demo")).events)
  end)

  it("goes on in the batch that opens it", function()
    local batch = json.array({
      start("demo"), start("demo"),
      make("block.insert", { block = json.object({ id = "b", kind = "text", parent = json.null }) }, { canvas_id = "plan" }),
    })
    local answer = gateway:post("/v1/commands", ann, batch, { atomic = 1 })
    assert.equal(200, answer.status, answer.body)
    assert.same({ 3, 0, 1 }, { answer.json[1].events, answer.json[2].events, answer.json[3].events })
  end)

  it("can be looked at before it is opened", function()
    local answer = gateway:post("/v1/commands", ann, start("demo"), { dry_run = 1 })
    assert.same({ "would_commit", 3 }, { answer.json.status, #answer.json.events })
    assert.same(json.null, gateway:state(ann, { run_id = make.run_id }).graph.state)
  end)

  it("keeps the order of commands that were sent while the flow was asked for", function()
    local connection = gateway:connect()
    local first = start("demo")
    local second = make("token.set", { set = json.object({ ["plan.days"] = 9 }), unset = json.array() })
    for _, body in ipairs({ first, second }) do
      connection:request({ method = "POST", path = "/v1/commands", body = json.encode(body),
        headers = { Authorization = "Bearer " .. ann, ["Content-Type"] = "application/json" } })
    end
    assert.equal(200, connection:response().status)
    assert.equal(200, connection:response().status)
    connection:close()
  end)

  describe("in a registry of one's own", function()
    local other

    setup(function()
      local path = os.tmpname()
      shell.write(path, REGISTRY)
      other = support.start({ env = { ATOMS_REGISTRY_FILE = path } })
    end)

    local function try(flow_id, project, tenant)
      local scope = { project_id = project, tenant_id = tenant }
      local bearer = other:bearer({ actor = "ann", tenant = tenant })
      make = command.maker({ canvas_id = false, project_id = project, tenant_id = tenant })
      local answer = other:post("/v1/commands", bearer, start(flow_id, scope))
      return answer.status, answer.json.code or answer.json.events
    end

    it("finds a project's flows and its tenant's, and nobody else's", function()
      assert.same({ 200, 2 }, { try("own", "p1", "acme") })
      assert.same({ 200, 1 }, { try("empty", "p1", "acme") })
      assert.same({ 200, 3 }, { try("two", "p2", "acme") })
      assert.same({ 422, "unknown_flow" }, { try("own", "p2", "acme") })
      assert.same({ 422, "unknown_flow" }, { try("two", "p3", "acme") })
      assert.same({ 422, "unknown_flow" }, { try("two", "p1", "globex") })
    end)

    it("stops the start with file and line when it is wrong", function()
      local path = os.tmpname()
      for text, said in pairs({
        ["return { tenants = {\n  acme = {\n    flow = {} } } }"] = ":3: ",
        ["return {\n  tenants = { acme = { flows = { { flow_id = 'f',\n  nodes = { {} } } } } } }"] = ":3: ",
        ["return { tenants = { acme = { flows = {\n{ flow_id = 'f', canvases={{ canvas_id = 'c', canvas_type = 'x' }} } } } } }"] = ":2: ",
        ["return os.getenv('HOME')"] = ":1: ",
      }) do
        shell.write(path, text)
        local refused = refused_start({ env = { ATOMS_REGISTRY_FILE = path } })
        assert.equal(1, refused.code)
        assert.truthy(refused.err:find(path .. said, 1, true), refused.err)
      end
      os.remove(path)
    end)
  end)
end)
