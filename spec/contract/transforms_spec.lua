-- Transforms that something is wrong with: whatever it is, nobody sees a value that the transform was to hide.

local support = require("support")
local gateways = require("support.gateway")
local policies = require("support.policies")
local clock = require("support.clock")
local command, json, shell = support.command, support.json, support.shell

-- Digits of a block are masked for a viewer.
local MASKS = [[
local lens = require("atoms.lens")
local everything = lens.everything()
return {
  name = "token_lens", version = 1, api = 1,
  lens = function(actor)
    return actor.role == "viewer" and lens.extend(everything, { transform = "masked" }) or everything
  end,
  transforms = {
    masked = {
      block = function(block)
        return { props = block.props, text = block.text:gsub("%d", "#") }
      end,
    },
  },
}
]]

-- What a tenant writes who wants to hide a little more.
local HIDES_MORE = [[
local lens = require("atoms.lens")
local default = require("defaults.token_lens")
return {
  name = "token_lens", version = 1, api = 1,
  lens = function(actor, scope)
    local plan = default.lens(actor, scope)
    return plan and actor.role == "viewer" and lens.hide_vis(plan, { "draft" }) or plan
  end,
}
]]

local function naming(transforms)
  return ([[
return {
  name = "token_lens", version = 1, api = 1,
  lens = function(actor)
    return { tokens = { read = { "*" } },
      transform = "masked" }
  end,
  transforms = %s,
}
]]):format(transforms)
end

describe("atoms check", function()
  local function findings(files)
    local result = shell.run({ gateways.bin, "check", policies.folder(files).path, "--json" })
    return json.must(result.out).findings, result.code
  end

  it("finds a plan whose transform is not there, and where it is named", function()
    local found, code = findings({ ["token_lens.lua"] = naming("{}") })
    assert.same({ 1, 1 }, { code, #found })
    assert.same({ "plan_bad_shape", "policies/token_lens.lua:5" }, { found[1].code, found[1].where:match("policies/[^/]+$") })
    assert.matches('no transform "masked"', found[1].message)
    assert.matches("transforms.NAME", found[1].hint)
  end)

  it("finds a transform of anything but its functions", function()
    for _, masked in ipairs({ "{ blok = function() end }", "{ block = 5 }", "{ block = true }", "'x'", "{}" }) do
      local found, code = findings({ ["token_lens.lua"] = naming(("{ masked = %s }"):format(masked)) })
      local where = found[1].where:match("policies/.*")
      assert.same({ 1, "script_bad_shape", "policies/token_lens.lua:7" }, { code, found[1].code, where }, masked)
    end
  end)

  it("takes a tenant's lens that means a transform of the default", function()
    local found, code = findings({ ["token_lens.lua"] = MASKS, ["tenants/acme/token_lens.lua"] = HIDES_MORE })
    assert.same({ 0, 0 }, { code, #found }, json.encode(found))
  end)
end)

describe("a transform", function()
  local gateway, editor, viewer, make

  local function open(files)
    gateway = support.start({ env = { ATOMS_POLICIES_DIR = policies.folder(files).path } })
    editor, viewer = gateway:bearer({ role = "editor" }), gateway:bearer({ actor = "vic", role = "viewer" })
    make = command.maker()
  end

  after_each(support.stop_all)

  it("of the default is used by a tenant's lens that has none of that name", function()
    open({ ["token_lens.lua"] = MASKS, ["tenants/acme/token_lens.lua"] = HIDES_MORE })
    gateway:send_all(editor, {
      make("canvas.mount", { canvas_type = "planning" }),
      make:insert("a", { kind = "task", text = "Call 555-1234" }),
      make:insert("b", { kind = "task", text = "Draft", vis = "draft" }),
    })
    local blocks = gateway:state(viewer, { run_id = make.run_id }).canvases.c1.blocks
    assert.equal("Call ###-####", blocks.a.text)
    assert.is_nil(blocks.b)
    assert.equal("Call 555-1234", gateway:state(editor, { run_id = make.run_id }).canvases.c1.blocks.a.text)
  end)

  it("that is not there denies, and the log says where it is named", function()
    open({ ["token_lens.lua"] = naming("{ other = { block = function() end } }") })
    local answer = gateway:get("/v1/me", viewer, gateway:ids({ run_id = make.run_id }))
    assert.same({ 403, "policy_failed" }, { answer.status, answer.json.code })
    assert.matches('"event":"script_failed".-"where":"policies/token_lens.lua:5"', gateway:errors())
  end)
end)

-- As many instructions as one call may have, nearly, for each block: more blocks than a tenant has time for in one second.
local SPINS = [[
local lens = require("atoms.lens")
local everything = lens.everything()
return {
  name = "token_lens", version = 1, api = 1,
  lens = function(actor)
    return actor.role == "viewer" and lens.extend(everything, { transform = "slow" }) or everything
  end,
  transforms = {
    slow = {
      block = function(block)
        for i = 1, 300000 do end
        return { props = block.props, text = "<" .. block.text .. ">" }
      end,
    },
  },
}
]]

describe("a transform that its tenant has no time for", function()
  local gateway, editor, viewer, make, scope, number
  local BLOCKS = 40

  setup(function()
    number = 0
    local env = { ATOMS_POLICIES_DIR = policies.folder({ ["token_lens.lua"] = SPINS }).path, ATOMS_WORKERS = 1 }
    gateway = support.start({ env = env, config = "return { scripts = { tenant_ms_per_s = 20 } }" })
  end)

  teardown(support.stop_all)

  --- A tenant that has used nothing yet.
  local function arrive()
    number = number + 1
    local tenant = "tenant" .. number
    scope = { tenant_id = tenant }
    make = command.maker(scope)
    editor = gateway:bearer({ tenant = tenant, role = "editor" })
    viewer = gateway:bearer({ tenant = tenant, actor = "vic", role = "viewer" })
    scope.run_id = make.run_id
    gateway:send_all(editor, { make("canvas.mount", { canvas_type = "planning" }) })
  end

  before_each(arrive)

  local function fill(name)
    local commands = {}
    for i = 1, BLOCKS do
      commands[i] = make:insert(name .. i, { kind = "task", text = name .. i })
    end
    gateway:send_all(editor, commands)
  end

  local function ids(more)
    local params = gateway:ids(scope)
    for name, value in pairs(more or {}) do
      params[name] = value
    end
    return params
  end

  --- Answers until it is given, and how often it was refused before.
  local function insist(path, params)
    local refusals, answer = 0, nil
    clock.until_true(path, function()
      answer = gateway:get(path, viewer, params)
      if answer.status == 200 then
        return true
      end
      refusals = refusals + 1
      assert.same({ 429, "script_budget", "later" }, { answer.status, answer.json.code, answer.json.retry })
      return false
    end, 60)
    return answer.json, refusals
  end

  it("refuses a read as a whole, until what was asked about before is enough", function()
    fill("a")
    local state, refusals = insist("/v1/state", ids())
    assert.is_true(refusals > 0)
    for i = 1, BLOCKS do
      assert.equal("<a" .. i .. ">", state.canvases.c1.blocks["a" .. i].text)
    end
    assert.equal(200, gateway:get("/v1/state", viewer, ids()).status)
  end)

  it("refuses a page of events, and a dry run, likewise", function()
    fill("b")
    local page = insist("/v1/events", ids({ after = "earliest", limit = 1000 }))
    assert.equal(BLOCKS + 1, #page.events)
    assert.equal("<b1>", page.events[2].event.data.ops[1].text)
  end)

  it("lets nobody else wait", function()
    fill("v")
    assert.equal(429, gateway:get("/v1/state", viewer, ids()).status)
    arrive()
    assert.equal(200, gateway:get("/v1/state", viewer, ids()).status)
  end)

  --- The next `count` events behind `cursor`, however often the stream is ended or told to come back; and how often it was.
  local function follow(cursor, count)
    local events, ends = {}, 0
    clock.until_true("the stream's events", function()
      local stream = gateway:stream({ bearer = viewer, tenant_id = scope.tenant_id, run_id = scope.run_id, cursor = cursor })
      while #events < count do
        local is_there, frame = pcall(stream.next, stream)
        if not is_there then
          ends = ends + 1
          break
        elseif frame.event == "resume" then
          local said = frame.json.data
          assert.is_true(said.status == "exact" or said.reason == "overload", frame.raw)
        else
          cursor = frame.id
          events[#events + 1] = frame
        end
      end
      stream:close()
      return #events == count
    end, 60)
    return events, ends
  end

  it("ends a stream, which goes on where it was, and misses nothing", function()
    local live = gateway:stream({ bearer = viewer, tenant_id = scope.tenant_id, run_id = scope.run_id, cursor = "now" })
    local start = live:expect("resume").json.data.head
    fill("s")
    local events, ends = follow(start, BLOCKS)
    assert.is_true(ends > 0)
    for i = 1, BLOCKS do
      assert.equal("<s" .. i .. ">", events[i].json.data.ops[1].text)
    end
    local page = insist("/v1/events", ids({ after = start, limit = 1000 })).events
    for i = 1, BLOCKS do
      assert.same({ events[i].id, events[i].json.data }, { page[i].id, page[i].event.data })
    end
    live:close()
  end)
end)
