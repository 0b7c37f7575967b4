-- Edits of one text by the client's half, held against spec/vectors/transform*.json and against what must be true of any.

local json = require("support.json")
local shell = require("support.shell")
local text_op = require("atoms.text_op")

local function op_of(plain)
  local spans = {}
  for i, span in ipairs(plain.spans) do
    spans[i] = { start = span[1], length = span[2] }
  end
  return { at = plain.at, ins = plain.ins, spans = spans }
end

local function plain_splices(op)
  local list = {}
  for i, splice in ipairs(text_op.splices(op)) do
    list[i] = { splice.at, splice.del, splice.ins }
  end
  return list
end

local function judge(case)
  local b = op_of(case.b)
  local becomes = text_op.transform(op_of(case.a), b, case.a_is_later)
  assert.same(op_of(case.becomes), becomes)
  assert.same(case.splices, plain_splices(becomes))
  assert.same(becomes, text_op.join(text_op.splices(becomes)))
  assert.equal(case.gives, text_op.apply(text_op.apply(case.text, b), becomes))
end

describe("the edit that another came before", function()
  for _, case in ipairs(json.must(shell.read("spec/vectors/transform.json")).cases) do
    it(case.name, function()
      judge(case)
    end)
  end

  it("is as in every random vector", function()
    local cases = json.must(shell.read("spec/vectors/transform_random.json")).cases
    assert.is_true(#cases >= 300)
    for _, case in ipairs(cases) do
      judge(case)
    end
  end)

  it("gives one text in either order", function()
    for _, name in ipairs({ "transform", "transform_random" }) do
      for _, case in ipairs(json.must(shell.read("spec/vectors/" .. name .. ".json")).cases) do
        local a, b = op_of(case.a), op_of(case.b)
        local b_over_a = text_op.transform(b, a, not case.a_is_later)
        assert.equal(case.gives, text_op.apply(text_op.apply(case.text, a), b_over_a))
      end
    end
  end)
end)

describe("a splice", function()
  it("outside its text is refused and says where it was", function()
    for _, range in ipairs({ { 4, 0 }, { 3, 1 }, { 0, 4 } }) do
      local text, problem = text_op.apply_splice("aé😀", range[1], range[2], "x")
      assert.is_nil(text)
      assert.equal(("a splice of %d at %d in a text of 3 code points"):format(range[2], range[1]), problem)
    end
  end)

  it("at the very end appends", function()
    assert.equal("aé😀!", text_op.apply_splice("aé😀", 3, 0, "!"))
  end)
end)
