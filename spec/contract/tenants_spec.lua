-- More tenants with policies of their own than there may be Lua states: each is judged by its own all the while.

local support = require("support")
local command = support.command
local policies = require("support.policies")

local TENANTS, STATES = 12, 2

local LENS = policies.lens([[
  local default = require("defaults.token_lens").lens(actor, scope)
  return default and lens.hide_tokens(default, { "plan.days" })
]])
local RULE = [[return { name = "rule", version = 1, api = 1, commands = { "canvas.commit" }, validate = function()
  return nil, { code = "not_here", message = "a rule of %s" }
end }]]

describe("more tenants than Lua states", function()
  local gateway

  setup(function()
    local folder = policies.folder()
    for i = 1, TENANTS do
      folder:write(("tenants/t%d/token_lens.lua"):format(i), LENS)
      folder:write(("tenants/t%d/commands/rule.lua"):format(i), RULE:format("t" .. i))
    end
    gateway = support.start({
      env = { ATOMS_POLICIES_DIR = folder.path, ATOMS_WORKERS = 1 },
      config = ("return { scripts = { max_overlays = 4, max_states = %d } }"):format(STATES),
    })
  end)

  teardown(support.stop_all)

  local function tenant(i)
    local name = "t" .. i
    return name, gateway:bearer({ tenant = name }), command.maker({ tenant_id = name })
  end

  local function come(i)
    local name, bearer, make = tenant(i)
    gateway:send(bearer, make:mount())
    local refused = gateway:post("/v1/commands", bearer, make("canvas.commit"))
    assert.same({ 422, "a rule of " .. name }, { refused.status, refused.json.detail })
    local tokens = gateway:state(bearer, { tenant_id = name, run_id = make.run_id }).tokens
    assert.is_nil(tokens["plan.days"])
    assert.equal("normal", tokens["plan.priority"])
  end

  it("judges each by its own, however often they take turns", function()
    for _ = 1, 3 do
      for i = 1, TENANTS do
        come(i)
      end
    end
    assert.is_true(gateway:metric("atoms_script_states") <= STATES)
  end)

  it("goes on hiding from a stream whose tenant's state was dropped meanwhile", function()
    local name, bearer, make = tenant(1)
    gateway:send(bearer, make:mount())
    local stream = gateway:stream({ bearer = bearer, tenant_id = name, run_id = make.run_id, cursor = "now" })
    stream:expect("resume")
    for i = 2, TENANTS do
      come(i)
    end
    local refused = gateway:post("/v1/commands", bearer, make:tokens({ ["plan.days"] = 3 }))
    assert.equal("unknown_token", refused.json.code)
    gateway:send(bearer, make:tokens({ ["plan.title"] = "seen" }))
    assert.same({ ["plan.title"] = "seen" }, stream:expect("token_patch").json.data.set)
    gateway:admin("/admin/policies/reload", nil, "POST")
    gateway:send(bearer, make:tokens({ ["plan.title"] = "still" }))
    assert.same({ ["plan.title"] = "still" }, stream:expect("token_patch").json.data.set)
  end)
end)
