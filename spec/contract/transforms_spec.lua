-- Transforms that something is wrong with: whatever it is, nobody sees a value that the transform was to hide.

local support = require("support")
local gateways = require("support.gateway")
local policies = require("support.policies")
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
    assert.same({ "plan_bad_shape", "policies/token_lens.lua:5" }, { found[1].code, found[1].where })
    assert.matches('no transform "masked"', found[1].message)
    assert.matches("transforms.NAME", found[1].hint)
  end)

  it("finds a transform of anything but its functions", function()
    for _, masked in ipairs({ "{ blok = function() end }", "{ block = 5 }", "{ block = true }", "'x'", "{}" }) do
      local found, code = findings({ ["token_lens.lua"] = naming(("{ masked = %s }"):format(masked)) })
      assert.same({ 1, "script_bad_shape", "policies/token_lens.lua:7" }, { code, found[1].code, found[1].where }, masked)
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
