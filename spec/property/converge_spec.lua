-- Random schedules converge, and the check that says so finds every fault that is put between the gateway and a client.

local gateway = require("support.gateway")
local shell = require("support.shell")

--- The outcome of COUNT schedules, with the environment given.
local function run(first, count, env)
  local words = { "env", "ATOMS_BIN=" .. gateway.bin }
  for name, value in pairs(env or {}) do
    words[#words + 1] = name .. "=" .. value
  end
  local result = shell.run(table.move({ "lua5.4", "spec/property/main.lua", tostring(first), tostring(count) }, 1, 4, #words + 1, words))
  local failed = tonumber(result.out:match("%d+ schedules, (%d+) failed"))
  assert(failed, result.out .. result.err)
  local unnoticed = tonumber(result.out:match("(%d+) times %w+ went unnoticed"))
  return { failed = failed, code = result.code, text = result.out, unnoticed = unnoticed }
end

local seed = tonumber(os.getenv("SEED")) or os.time()

describe("random schedules, from seed " .. seed, function()
  it("converge while the gateway is killed and started again", function()
    local result = run(seed, 120, { KILLS = 15 })
    assert.same({ 0, 0 }, { result.failed, result.code }, result.text)
  end)

  it("do the same again when the seed is the same", function()
    -- Without what is told when there is time: which of those who come and go is seen depends on the moment.
    local function steps_of(text)
      text = text:gsub('"[%a_]+":"[%w_-]+T?[%w_:.-]+"', ""):gsub("\n[^\n]*schedules/s\n", "")
      return (text:gsub("[^\n]*gets resume[^\n]*\n", ""):gsub("[^\n]*gets presence[^\n]*\n", ""))
    end
    local first = run(7, 1, { PRINTS = 1, KILLS = 0 })
    assert.equal(steps_of(first.text), steps_of(run(7, 1, { PRINTS = 1, KILLS = 0 }).text))
  end)
end)

describe("the check of convergence", function()
  local COUNT = 12

  for _, fault in ipairs({ "drop", "duplicate" }) do
    it(("finds %s wherever it strikes, by the order of causes"):format(fault), function()
      local result = run(1, COUNT, { FAULT = fault })
      assert.is_true(result.failed > COUNT / 2, result.text)
      assert.same({ 0, 1 }, { result.unnoticed, result.code }, result.text)
    end)
  end

  it("finds a command that was acknowledged and lost", function()
    local result = run(1, 40, { FAULT = "lose", PATIENCE = 2 })
    assert.equal(1, result.code)
    assert.is_true(result.failed >= 20, result.text)
    assert.matches("event %d+ is caused by %S+, and came 1 times; should be by", result.text)
    assert.matches("was acknowledged with 1 events and has 0", result.text)
  end)

  for fault, sign in pairs({
    drop = "holds another state",
    duplicate = "block_exists",
    splice = "own_edit_differs",
    resurrect = "/canvases/c1/blocks/%w+ is a table here, nil there",
    reorder = "/canvases/c1/blocks/%w+/pos is",
    token = "/tokens/plan.days is",
    transform = "own_edit_differs",
  }) do
    it(("finds %s by what the clients hold"):format(fault), function()
      local result = run(1, 2 * COUNT, { FAULT = fault, ORDER = 0 })
      assert.equal(1, result.code)
      assert.is_true(result.failed >= 3, result.text)
      assert.matches(sign, result.text)
    end)
  end
end)
