-- That the guards of the sandbox stand where spec/sandbox/guards.lua says. That each is of use is shown by scripts/guards, which takes
-- minutes.

local tree = require("repo.tree")

describe("each guard of the sandbox", function()
  local guards = dofile("spec/sandbox/guards.lua")

  it("stands once in the source", function()
    for _, guard in ipairs(guards) do
      for _, edit in ipairs(guard) do
        local text = tree.read(edit[1])
        local _, to = text:find(edit[2], 1, true)
        assert(to and not text:find(edit[2], to + 1, true), guard.guard .. " does not stand once in " .. edit[1])
      end
    end
  end)

  it("has an attack that is there", function()
    for _, guard in ipairs(guards) do
      assert(tree.read("spec/sandbox/attacks/" .. guard.attack .. ".lua"))
    end
  end)
end)
