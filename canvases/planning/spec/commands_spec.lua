-- What the planning canvas's own commands do.

local commands = require("canvas.planning.commands").commands
local testing = require("atoms.testing")

describe("planning.add_task", function()
  local function reduce(args, world)
    return commands["planning.add_task"].reduce(testing.command("planning.add_task", args), testing.view(world or {}))
  end

  local outline = {
    blocks = {
      h1 = { kind = "heading", pos = "B" },
      t1 = { kind = "task", parent = "h1", pos = "B" },
      t2 = { kind = "task", parent = "h1", pos = "C" },
    },
  }

  it("adds a task that is not done, below all else", function()
    local op = reduce({ id = "t3", title = "Buy milk" }, outline)[1]
    assert.equal("block.insert", op.type)
    local block = op.args.block
    assert.equal("task", block.kind)
    assert.equal("Buy milk", block.text)
    assert.is_nil(block.parent)
    assert.equal("h1", block.after)
    assert.is_false(block.props.done)
  end)

  it("adds it as the last below a heading", function()
    local block = reduce({ id = "t3", title = "Buy milk", under = "h1" }, outline)[1].args.block
    assert.equal("h1", block.parent)
    assert.equal("t2", block.after)
  end)

  it("is refused below anything but a heading", function()
    for _, under in ipairs({ "t1", "nobody" }) do
      local ops, refusal = reduce({ id = "t3", title = "Buy milk", under = under }, outline)
      assert.is_nil(ops)
      assert.equal("no_heading", refusal.code)
      assert.equal("/under", refusal.path)
    end
  end)
end)
