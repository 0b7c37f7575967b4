-- A canvas's own commands: declared by its manifest, turned into built-in ones by its scripts, taking effect as one.

local support = require("support")
local command, json, shell = support.command, support.json, support.shell

local MANIFEST = [[
return {
  name = "pad", version = "1", api = 1, title = "Pad", harness = "workbench",
  kinds = { note = { text = true, props = { n = { type = "integer" } } } },
  tokens = { ["pad.count"] = { type = "integer", default = 0 } },
  commands = {
    ["pad.pair"] = { args = { first = { type = "string", required = true }, second = { type = "string" }, loud = { type = "boolean" } } },
    ["pad.fill"] = { args = { count = { type = "integer", min = 0, max = 200 } } },
    ["pad.bad"] = { args = { what = { type = "string" } } },
    ["pad.idle"] = {},
  },
}]]

local COMMANDS = [[
local ops = require("atoms.ops")

local function pair(command, view)
  local args = command.args
  local list = { ops.insert({ id = args.first, kind = "note", text = "1" }) }
  if args.second then
    list[2] = ops.insert({ id = args.second, kind = "note", parent = args.first, text = "2" })
  end
  list[#list + 1] = ops.tokens({ ["pad.count"] = (view.token("pad.count") or 0) + #list })
  return list
end

local function fill(command)
  local list = {}
  for i = 1, command.args.count do
    list[i] = ops.insert({ id = "f" .. i, kind = "note" })
  end
  return list
end

local BAD = {
  commit = { { type = "canvas.commit", args = {} } },
  token = { ops.tokens({ ["plan.days"] = 3 }) },
  shape = { "block.insert" },
  number = 3,
}

return {
  api = 1,
  commands = {
    ["pad.pair"] = {
      validate = function(command)
        if command.args.loud then
          return nil, { code = "too_loud", message = "quiet, please", path = "/loud" }
        end
        return true
      end,
      reduce = pair,
    },
    ["pad.fill"] = { reduce = fill },
    ["pad.bad"] = { reduce = function(command) return BAD[command.args.what] end },
  },
}]]

describe("a canvas's own command", function()
  local gateway, ann, make

  setup(function()
    local folder = shell.folder() .. "/canvases"
    shell.must({ "cp", "-r", "canvases", folder })
    shell.must({ "mkdir", folder .. "/pad" })
    shell.write(folder .. "/pad/manifest.lua", MANIFEST)
    shell.write(folder .. "/pad/commands.lua", COMMANDS)
    gateway = support.start({ env = { ATOMS_CANVASES_DIR = folder } })
    ann = gateway:bearer({})
  end)

  teardown(support.stop_all)

  before_each(function()
    make = command.maker({ canvas_id = "p1" })
    gateway:send(ann, make("canvas.mount", { canvas_type = "pad" }))
  end)

  local function post(kind, args, more, bearer)
    return gateway:post("/v1/commands", bearer or ann, make(kind, json.object(args), more))
  end

  local function refusal(answer)
    return { answer.status, answer.json.code, answer.json.path }
  end

  local function state()
    return gateway:state(ann, { run_id = make.run_id })
  end

  it("takes effect as what it stands for, under one command id", function()
    local answer = post("pad.pair", { first = "a", second = "b" })
    assert.same({ 200, 3 }, { answer.status, answer.json.events })
    assert.equal("a", state().canvases.p1.blocks.b.parent)
    assert.equal(2, state().tokens["pad.count"])
    local causes = {}
    for _, entry in ipairs(gateway:events(ann, { run_id = make.run_id, after = "earliest" }).events) do
      causes[#causes + 1] = entry.event.cause == answer.json.command_id and entry.event.type or nil
    end
    assert.same({ "state_patch", "state_patch", "token_patch" }, causes)
  end)

  it("is repeated without another effect", function()
    local made = make("pad.pair", { first = "a" })
    local first = gateway:post("/v1/commands", ann, made)
    assert.equal(first.body, gateway:post("/v1/commands", ann, made).body)
    assert.equal(1, state().tokens["pad.count"])
  end)

  it("has all its effects or none", function()
    post("pad.pair", { first = "b" })
    assert.same({ 409, "block_exists", "/operations/1/args/block/id" }, refusal(post("pad.pair", { first = "a", second = "b" })))
    assert.is_nil(state().canvases.p1.blocks.a)
    assert.equal(1, state().tokens["pad.count"])
  end)

  it("is part of an atomic batch like any other", function()
    local batch = { make("pad.pair", { first = "a" }), make("block.insert", { block = { id = "a", kind = "note" } }) }
    assert.equal(409, gateway:post("/v1/commands", ann, json.array(batch), { atomic = 1 }).status)
    assert.is_nil(state().canvases.p1.blocks.a)
    batch = { make("pad.pair", { first = "a" }), make("pad.pair", { first = "b" }) }
    assert.equal(200, gateway:post("/v1/commands", ann, json.array(batch), { atomic = 1 }).status)
    assert.equal(2, state().tokens["pad.count"])
  end)

  it("shows what it would do in a dry run", function()
    local answer = gateway:post("/v1/commands", ann, make("pad.pair", { first = "a" }), { dry_run = 1 })
    assert.same({ 200, "would_commit", 2 }, { answer.status, answer.json.status, #answer.json.events })
    assert.is_nil(state().canvases.p1.blocks.a)
  end)

  it("is taken back as one", function()
    local id = post("pad.pair", { first = "a", second = "b" }).json.command_id
    assert.equal(200, post("undo", { of = id }, { canvas_id = false }).status)
    assert.same({}, state().canvases.p1.blocks)
    assert.equal(0, state().tokens["pad.count"])
  end)

  it("has the arguments that its manifest declares", function()
    assert.same({ 400, "missing_arg", "/args/first" }, refusal(post("pad.pair", {})))
    assert.same({ 400, "unknown_member", "/args/third" }, refusal(post("pad.pair", { first = "a", third = 1 })))
    assert.same({ 422, "wrong_type", "/args/first" }, refusal(post("pad.pair", { first = 1 })))
    assert.same({ 422, "out_of_range", "/args/count" }, refusal(post("pad.fill", { count = 201 })))
  end)

  it("is refused by its validator with a reason", function()
    local answer = post("pad.pair", { first = "a", loud = true })
    assert.same({ 422, "policy_refused", "/args/loud" }, refusal(answer))
    assert.equal("too_loud", answer.json.reason)
  end)

  it("does nothing when it stands for nothing", function()
    assert.equal(0, post("pad.fill", { count = 0 }).json.events)
  end)

  it("stands for at most 64 others, on its own canvas and its own Tokens", function()
    assert.equal(64, post("pad.fill", { count = 64 }).json.events)
    assert.same({ 403, "policy_failed" }, refusal(post("pad.fill", { count = 65 })))
    for _, what in ipairs({ "commit", "token", "shape", "number" }) do
      assert.same({ what, 403, "policy_failed" }, { what, table.unpack(refusal(post("pad.bad", { what = what }))) })
    end
    local log = gateway:errors()
    assert.matches("reduce answers at most 64 operations, and this 65", log)
    assert.matches('"where":"[^"]*commands%.lua:%d+","message":"operation 0: its type is canvas%.commit', log)
    assert.matches("operation 0: token%.set of a Token that the canvas does not declare: %S+\"", log)
  end)

  it("is unknown where no script carries it out, or no canvas declares it", function()
    assert.same({ 400, "unknown_command", "/type" }, refusal(post("pad.idle", {})))
    assert.same({ 400, "unknown_command", "/type" }, refusal(post("pad.none", {})))
    gateway:send(ann, make("canvas.mount", { canvas_type = "planning" }, { canvas_id = "c1" }))
    assert.same({ 400, "unknown_command", "/type" }, refusal(post("pad.pair", { first = "a" }, { canvas_id = "c1" })))
  end)

  it("needs its canvas", function()
    assert.same({ 400, "missing_id", "/canvas_id" }, refusal(post("pad.pair", { first = "a" }, { canvas_id = false })))
    assert.same({ 422, "canvas_not_mounted", "/canvas_id" }, refusal(post("pad.pair", { first = "a" }, { canvas_id = "p9" })))
  end)

  it("writes no more than the lens lets its sender write", function()
    local narrow = gateway:bearer({ actor = "ben", tokens = json.array({ "plan.*" }) })
    assert.same({ 422, "unknown_token", "/operations/1/args/set/pad.count" }, refusal(post("pad.pair", { first = "a" }, nil, narrow)))
    assert.same({ 403, "not_allowed", "/type" }, refusal(post("pad.pair", { first = "a" }, nil, gateway:bearer({ role = "viewer" }))))
    assert.is_nil(state().canvases.p1.blocks.a)
  end)

  it("ships with the planning canvas: a task as the last below a heading", function()
    make = command.maker()
    gateway:send(ann, make:mount())
    gateway:send(ann, make:insert("h", { kind = "heading", text = "Today" }))
    for _, id in ipairs({ "t1", "t2" }) do
      assert.equal(200, post("planning.add_task", { id = id, title = "Task " .. id, under = "h", estimate_days = 2 }).status)
    end
    local blocks = state().canvases.c1.blocks
    assert.same({ "task", "h", "Task t2", 2, false },
      { blocks.t2.kind, blocks.t2.parent, blocks.t2.text, blocks.t2.props.estimate_days, blocks.t2.props.done })
    assert.is_true(blocks.t1.pos < blocks.t2.pos)
    local answer = post("planning.add_task", { id = "t3", title = "x", under = "t1" })
    assert.same({ 422, "policy_refused", "/args/under" }, refusal(answer))
    assert.equal("no_heading", answer.json.reason)
  end)
end)
