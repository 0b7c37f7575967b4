-- A recorded history of two people who type at the same time, replayed through the gateway: followers that are cut, one that comes late,
-- and the state itself end with the recorded text.

local support = require("support")
local program = require("support.gateway").bin
local trace = require("support.trace")
local clock, command, json, shell = support.clock, support.command, support.json, support.shell

describe("a concurrent editing history", function()
  local gateway, ann, run_id, history, file

  setup(function()
    gateway = support.start({ config = "return { limits = { checkpoint_events = 64, ring_bytes = 4096 } }" })
    ann = gateway:minted({ "--tenant", "acme", "--actor", "ann", "--kind", "user", "--role", "editor" })
    history = trace.make(20240501, 1500)
    for _, txn in ipairs(history.txns) do
      txn.parents, txn.patches = json.array(txn.parents), json.array(txn.patches)
    end
    file = shell.write(shell.folder() .. "/trace.json", json.encode(history))
  end)

  teardown(support.stop_all)

  before_each(function()
    run_id = command.run()
  end)

  local function replay_words(more)
    local words = { program, "replay-trace", file, "--url", ("http://127.0.0.1:%d"):format(gateway.port), "--bearer", ann, "--quiet",
      "--tenant", "acme", "--project", "p1", "--surface", "web", "--app", "demo", "--run", run_id, "--patience", "20" }
    return table.move(more, 1, #more, #words + 1, words)
  end

  local function text_of_state()
    local canvas = gateway:state(ann, { run_id = run_id }).canvases.c1
    return canvas and canvas.blocks.text and canvas.blocks.text.text
  end

  it("has edits that no author made on a prefix of the order", function()
    local concurrent = 0
    for i, txn in ipairs(history.txns) do
      local newest = math.max(-1, table.unpack(txn.parents))
      concurrent = concurrent + (newest < i - 2 and 1 or 0)
    end
    assert.is_true(concurrent > #history.txns / 4, concurrent .. " are concurrent")
  end)

  it("ends as recorded with every follower, though they are cut, and with the state", function()
    local result = shell.run(replay_words({ "--subscribers", "4", "--cuts", "12", "--seed", "3", "--in-flight", "32" }))
    assert.equal(0, result.code, result.out .. result.err)
    assert.equal(history.endContent, text_of_state())
  end)

  it("ends as recorded with one that joins in the middle", function()
    local outcome = assert(io.popen(shell.line(replay_words({ "--subscribers", "1", "--cuts", "0" })) .. " 2>&1"))
    clock.until_true("some edits", function()
      return (text_of_state() or history.startContent) ~= history.startContent
    end)
    local stream, view = gateway:stream({ bearer = ann, run_id = run_id }), support.view.new()
    assert.equal("fresh", view:feed(stream:expect("resume")).json.data.status)
    stream:find("the recorded end", function(frame)
      view:feed(frame)
      return view:text("c1", "text") == history.endContent
    end)
    local said = outcome:read("a")
    assert.is_true(outcome:close(), said)
    assert.equal(history.endContent, text_of_state())
    stream:close()
  end)
end)
