-- Plans: writing, changing and asking them.

local lens = require("atoms.lens")

describe("a list of globs", function()
  local cases = {
    { { "*" }, "plan.title", true },
    { {}, "plan.title", false },
    { { "plan.*" }, "plan.title", true },
    { { "plan.*" }, "planxtitle", false },
    { { "*", "!secret.*" }, "secret.key", false },
    { { "*", "!secret.*", "secret.public" }, "secret.public", true },
    { { "!secret.*", "*" }, "secret.key", true },
    { { "*.title" }, "plan.title", true },
    { { "a*c*e" }, "abcde", true },
    { { "a*c*e" }, "abcd", false },
    { { "" }, "", true },
    { { "%d+" }, "12", false },
  }
  for _, case in ipairs(cases) do
    it(("{%s} %s %q"):format(table.concat(case[1], " "), case[3] and "admits" or "does not admit", case[2]), function()
      assert.equal(case[3], lens.admits(case[1], case[2]))
    end)
  end

  it("that is absent admits nothing", function()
    assert.is_false(lens.admits(nil, "x"))
  end)
end)

describe("rules", function()
  it("admit what fits every member of one of them", function()
    local rules = { { kinds = { "task" }, vis = { "" } }, { authors = { "agent" } } }
    assert.is_true(lens.rules_admit(rules, { kind = "task", author = "user" }))
    assert.is_true(lens.rules_admit(rules, { kind = "heading", author = "agent" }))
    assert.is_false(lens.rules_admit(rules, { kind = "task", vis = "draft", author = "user" }))
  end)

  it("admit one's own by the author self", function()
    assert.is_true(lens.rules_admit({ { authors = { "self" } } }, { author = "user", is_own = true }))
    assert.is_false(lens.rules_admit({ { authors = { "self" } } }, { author = "user" }))
  end)

  it("admit everything when they are true, nothing when they are absent or empty", function()
    assert.is_true(lens.rules_admit(true, {}))
    assert.is_false(lens.rules_admit(nil, {}))
    assert.is_false(lens.rules_admit({}, {}))
  end)
end)

describe("a plan", function()
  local everything = lens.everything()

  it("grants nothing that it does not mention", function()
    assert.is_false(lens.reads_token({}, "plan.title"))
    assert.is_false(lens.reads_block({}, { kind = "task" }))
    assert.is_false(lens.writes_block({}, { kind = "task" }))
    assert.is_false(lens.redacts({}, { kind = "task" }, "done"))
  end)

  it("does not let write what it does not let read", function()
    local plan = { tokens = { read = { "plan.*" }, write = { "*" } }, blocks = { read = { { kinds = { "text" } } }, write = true } }
    assert.is_true(lens.writes_token(plan, "plan.days"))
    assert.is_false(lens.writes_token(plan, "ui.zoom"))
    assert.is_false(lens.writes_block(plan, { kind = "task" }))
  end)

  it("is extended without being changed", function()
    local plan = lens.extend(everything, { vision = false, tokens = { write = { "plan.*" } } })
    assert.is_false(plan.vision)
    assert.same({ "*" }, plan.tokens.read)
    assert.same({ "plan.*" }, plan.tokens.write)
    assert.same({ "*" }, everything.tokens.write)
  end)

  it("can be read only", function()
    local plan = lens.read_only(everything)
    assert.is_true(lens.reads_block(plan, { kind = "task" }))
    assert.is_false(lens.writes_block(plan, { kind = "task" }))
    assert.is_false(lens.writes_token(plan, "plan.title"))
    assert.is_nil(plan.commands)
  end)

  it("can hide Tokens and labels", function()
    local plan = lens.hide_vis(lens.hide_tokens(everything, { "secret.*" }), { "internal" })
    assert.is_false(lens.reads_token(plan, "secret.key"))
    assert.is_true(lens.writes_token(plan, "plan.title"))
    assert.is_false(lens.reads_block(plan, { kind = "task", vis = "internal" }))
    assert.is_true(lens.reads_block(plan, { kind = "task" }))
    assert.is_false(lens.rules_admit(plan.chat.read, { vis = "internal" }))
    assert.is_true(plan.chat.write)
  end)

  it("can leave properties and texts out", function()
    local plan = lens.redact(everything, { kinds = { "task" }, props = { "budget*" }, text = true })
    assert.is_true(lens.redacts(plan, { kind = "task" }, "budget_eur"))
    assert.is_false(lens.redacts(plan, { kind = "task" }, "done"))
    assert.is_true(lens.redacts(plan, { kind = "task" }))
    assert.is_false(lens.redacts(plan, { kind = "text" }))
  end)
end)
