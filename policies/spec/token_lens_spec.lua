-- What the default roles see and write.

local lens = require("atoms.lens")
local policy = require("policy.token_lens")
local testing = require("atoms.testing")

local function plan_of(role)
  return policy.lens(testing.actor(role), testing.scope())
end

describe("the default roles", function()
  it("are six; nobody else gets anything", function()
    for _, role in ipairs({ "owner", "editor", "viewer", "planner", "director", "service" }) do
      assert.is_truthy(plan_of(role))
    end
    assert.is_nil(plan_of("visitor"))
    assert.is_nil(plan_of(""))
  end)

  it("say of each whether it has vision and history", function()
    local vision = { owner = true, editor = true, viewer = true, planner = false, director = true, service = true }
    for role, has_vision in pairs(vision) do
      assert.equal(has_vision, plan_of(role).vision)
      assert.is_true(plan_of(role).history)
    end
  end)

  it("let a viewer look and change nothing", function()
    local plan = plan_of("viewer")
    assert.is_true(lens.reads_block(plan, { kind = "task", author = "user" }))
    assert.is_false(lens.writes_block(plan, { kind = "task", author = "user" }))
    assert.is_false(lens.writes_token(plan, "plan.title"))
    assert.is_false(lens.admits(plan.commands, "block.insert"))
  end)

  it("keep what is internal from a viewer", function()
    local plan = plan_of("viewer")
    assert.is_false(lens.reads_block(plan, { kind = "task", vis = "internal" }))
    assert.is_false(lens.reads_token(plan, "internal.cost"))
    assert.is_true(lens.reads_block(plan_of("planner"), { kind = "task", vis = "internal" }))
  end)

  it("let agents write Tokens and state", function()
    for _, role in ipairs({ "planner", "director" }) do
      assert.is_true(lens.writes_token(plan_of(role), "plan.title"))
      assert.is_true(lens.writes_block(plan_of(role), { kind = "task", author = "user" }))
      assert.is_true(lens.admits(plan_of(role).commands, "graph.node.set"))
    end
  end)
end)
