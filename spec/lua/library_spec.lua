-- The library that validators and reducers stand on.

local ops = require("atoms.ops")
local schema = require("atoms.schema")
local testing = require("atoms.testing")

describe("a schema", function()
  local task = {
    type = "object",
    fields = {
      title = { type = "string", min = 1, max = 5 },
      days = { type = "integer", min = 1, max = 365, optional = true },
      tags = { type = "list", items = { type = "string", values = { "a", "b" } }, max = 2, optional = true },
    },
  }

  local cases = {
    { "what fits", { title = "héllo", days = 3, tags = { "a", "b" } } },
    { "what is missing", {}, "missing_member", "/title" },
    { "what is not declared", { title = "x", more = 1 }, "unknown_member", "/more" },
    { "another type", { title = 1 }, "bad_shape", "/title" },
    { "a fraction where a whole number is due", { title = "x", days = 1.5 }, "bad_shape", "/days" },
    { "too few characters", { title = "" }, "too_small", "/title" },
    { "too many characters", { title = "héllos" }, "too_large", "/title" },
    { "too much", { title = "x", days = 366 }, "too_large", "/days" },
    { "too many items", { title = "x", tags = { "a", "a", "a" } }, "too_large", "/tags" },
    { "an item of another value", { title = "x", tags = { "a", "c" } }, "not_one_of", "/tags/1" },
    { "an object where a list is due", { title = "x", tags = { k = "a" } }, "bad_shape", "/tags" },
  }
  for _, case in ipairs(cases) do
    it((case[3] and "refuses " or "admits ") .. case[1], function()
      local is_good, refusal = schema.check(task, case[2])
      assert.equal(not case[3] or nil, is_good)
      assert.equal(case[3], refusal and refusal.code)
      assert.equal(case[4], refusal and refusal.path)
    end)
  end
end)

describe("operations", function()
  it("are built-in commands", function()
    assert.same({ type = "block.insert", args = { block = { id = "b", kind = "task" } } }, ops.insert({ id = "b", kind = "task" }))
    assert.same({ type = "block.update", args = { id = "b", set = { done = true } } }, ops.update("b", { done = true }))
    assert.same({ type = "block.move", args = { id = "b", after = "a" } }, ops.move("b", nil, "a"))
    assert.same({ type = "block.remove", args = { id = "b" } }, ops.remove("b"))
    assert.same({ type = "token.set", args = { set = { ["plan.days"] = 3 } } }, ops.tokens({ ["plan.days"] = 3 }))
    assert.same({ type = "block.update", args = { id = "b", unset = { "due" } } }, ops.update("b", nil, { "due" }))
    assert.same({ type = "token.set", args = { unset = { "plan.days" } } }, ops.tokens(nil, { "plan.days" }))
  end)
end)

describe("a made-up view", function()
  local view = testing.view({ blocks = { b = { parent = "a", pos = "V" }, c = { parent = "a", pos = "K" }, a = {} }, tokens = { t = 1 } })

  it("answers as a real one does", function()
    assert.same({ "c", "b" }, view.children("a"))
    assert.same({ "a" }, view.children())
    assert.is_nil(view.block("x"))
    assert.equal(1, view.token("t"))
  end)
end)

describe("made-up commands and actors", function()
  it("have the members that real ones have", function()
    local members = {}
    for _, shape in ipairs(dofile("lua/api.lua").shapes) do
      members[shape.name] = {}
      for _, field in ipairs(shape) do
        members[shape.name][field[1]] = true
      end
    end
    local function check(name, value)
      for member in pairs(value) do
        assert.is_true(members[name][member], name .. "." .. member)
      end
    end
    local command = testing.command("token.set", { set = {} }, { role = "planner", kind = "agent", id = "bot" })
    check("Command", command)
    check("Actor", command.actor)
    check("Scope", command.scope)
    check("Actor", testing.actor("viewer"))
    check("View", testing.view({}))
    assert.same({ "bot", "agent", "planner" }, { command.actor.id, command.actor.kind, command.actor.role })
    assert.same({ "ann", "user", "viewer" }, { testing.actor("viewer").id, testing.actor("viewer").kind, testing.actor("viewer").role })
    assert.equal("acme", testing.scope().tenant_id)
  end)
end)

describe("the library", function()
  it("has a spec or a vector for each of its functions", function()
    local specs = {}
    for _, path in ipairs({ "spec/lua/lens_spec.lua", "spec/lua/library_spec.lua", "spec/vectors/lens.json" }) do
      local file = assert(io.open(path))
      specs[#specs + 1] = file:read("a")
      file:close()
    end
    local text = table.concat(specs, "\n")
    for _, module in ipairs(dofile("lua/library.lua").scripts) do
      for name in pairs(require("atoms." .. module.name)) do
        local is_used = text:find("%f[%w_]" .. module.name .. "%." .. name .. "%(") or text:find('"' .. name .. '"', 1, true)
        assert.is_truthy(is_used, module.name .. "." .. name)
      end
    end
  end)
end)
