-- The rules on commands.

local chat = require("policy.commands.chat")
local testing = require("atoms.testing")

describe("the rule on messages", function()
  local function judge(args)
    return chat.validate(testing.command("chat_send", args), testing.view({}))
  end

  it("refuses a message that says nothing", function()
    local is_good, refusal = judge({ text = "" })
    assert.is_nil(is_good)
    assert.equal("empty_message", refusal.code)
    assert.equal("/text", refusal.path)
  end)

  it("takes a text, and a message whose text is to come", function()
    assert.is_true(judge({ text = "Hi" }))
    assert.is_true(judge({ stream = true }))
  end)
end)
