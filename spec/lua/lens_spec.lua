-- Plans: writing, changing and asking them.

local lens = require("atoms.lens")

local json = require("support.json")
local shell = require("support.shell")

local vectors = json.must(shell.read("spec/vectors/lens.json"))

describe("spec/vectors/lens.json:", function()
  for index, case in ipairs(vectors.lists) do
    local verdict = case.admits and "admits" or "does not admit"
    it(("list %d {%s} %s %q"):format(index, table.concat(case.list, " "), verdict, case.text), function()
      assert.equal(case.admits, lens.admits(case.list, case.text))
    end)
  end

  for index, case in ipairs(vectors.rules) do
    it(("rules %d %s"):format(index, case.admits and "admit" or "do not admit"), function()
      assert.equal(case.admits, lens.rules_admit(case.rules, case.thing))
    end)
  end

  for index, case in ipairs(vectors.plans) do
    for number, ask in ipairs(case.asks) do
      it(("plan %d, %d: %s"):format(index, number, ask.question), function()
        assert.equal(ask.answer, lens[ask.question](case.plan, ask.text or ask.thing, ask.prop))
      end)
    end
  end
end)

describe("a glob", function()
  it("matches the whole text, and only its stars are special", function()
    assert.is_true(lens.matches("plan.*", "plan.title"))
    assert.is_true(lens.matches("*", ""))
    assert.is_false(lens.matches("plan.*", "planxtitle"))
    assert.is_false(lens.matches("plan", "plan.title"))
    assert.is_true(lens.matches("a*c*e", "abcde"))
  end)
end)

describe("what is absent", function()
  it("admits nothing: list or rules", function()
    assert.is_false(lens.admits(nil, "x"))
    assert.is_false(lens.rules_admit(nil, {}))
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

  it("is not left as it was by a slip in what is to be taken away: that raises, at the line of the slip", function()
    local slips = {
      function() lens.hide_tokens(everything, "plan.*") end,
      function() lens.hide_tokens(everything, { "!plan.*" }) end,
      function() lens.hide_tokens(everything, { plan = true }) end,
      function() lens.hide_tokens(everything, nil) end,
      function() lens.hide_vis(everything, "draft") end,
      function() lens.hide_vis(everything, { "internal", "!draft" }) end,
      function() lens.hide_vis(everything, { { "draft" } }) end,
      function() lens.redact(everything, { kinds = { "task" } }) end,
      function() lens.redact(everything, "task") end,
      function() lens.hide_tokens(nil, { "plan.*" }) end,
      function() lens.hide_vis(nil, { "draft" }) end,
      function() lens.redact(nil, { text = true }) end,
      function() lens.read_only(nil) end,
      function() lens.extend(nil, { vision = false }) end,
    }
    for index, slip in ipairs(slips) do
      local is_good, message = pcall(slip)
      assert.is_false(is_good, index)
      assert.matches("^[^:]*lens_spec%.lua:%d+: ", message)
    end
    assert.same(everything, lens.hide_tokens(everything, {}))
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
