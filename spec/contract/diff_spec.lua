-- `atoms diff` tells every gain of a class: also of a property, a text, a value that a transform hid, what vision brings; and is a gate.

local support = require("support")
local json, shell = support.json, support.shell
local gateways = require("support.gateway")
local policies = require("support.policies")

local BOARD = [[
return {
  name = "board", version = "1.0.0", api = 1, title = "Board", harness = "workbench",
  tokens = { ["board.title"] = { type = "string" }, ["media.cover"] = { type = "sidecar" } },
  kinds = { note = { text = true, props = { cost = { type = "integer" }, image = { type = "sidecar" } } } },
  commands = { ["board.shoot"] = { title = "Shoot", args = { image = { type = "sidecar" } } } },
}
]]

local NARROW = [[
local lens = require("atoms.lens")
local everything = lens.extend(lens.everything(), { history = true })
return { name = "token_lens", version = 1, api = 1,
  transforms = { masked = {
    message = function(m) return { text = m.text:gsub("%d", "#") } end,
    token = function(key, value) return key == "board.title" and "(a title)" or value end,
    block = function(b) return { props = b.props, text = b.text:upper() } end,
  } },
  lens = function(actor)
    if actor.role == "viewer" then
      return lens.redact(everything, { kinds = { "note" }, props = { "cost" }, text = true })
    elseif actor.role == "planner" then
      return lens.extend(everything, { vision = false })
    elseif actor.role == "guest" then
      return lens.extend(everything, { transform = "masked" })
    end
    return actor.role ~= "stranger" and everything or nil
  end }
]]

local OPEN = 'local lens = require("atoms.lens")\nreturn { name = "token_lens", version = 1, api = 1, ' ..
  'lens = function(actor) return actor.role ~= "stranger" and lens.everything() or nil end }'

describe("atoms diff", function()
  local gateway, before, canvases

  setup(function()
    canvases = shell.folder() .. "/canvases"
    shell.must({ "cp", "-r", "canvases", canvases })
    shell.must({ "mkdir", "-p", canvases .. "/board" })
    shell.write(canvases .. "/board/manifest.lua", BOARD)
    shell.write(canvases .. "/board/commands.lua",
      'return { api = 1, commands = { ["board.shoot"] = { reduce = function() return {} end } } }')
    before = policies.folder({ ["token_lens.lua"] = NARROW })
    gateway = support.start({ env = { ATOMS_POLICIES_DIR = before.path, ATOMS_CANVASES_DIR = canvases, ATOMS_WATCH_SCRIPTS = "off" } })
    local ann, make = gateway:bearer({ kind = "agent", role = "director" }), support.command.maker()
    gateway:send_all(ann, {
      make("canvas.mount", { canvas_type = "board" }), make:insert("b1", { kind = "note", text = "call", props = { cost = 3 } }),
      make:tokens({ ["board.title"] = "Kitchen", ["media.cover"] = json.object({ artifact_id = "art-1" }) }),
      make("chat_send", { message_id = "m1", text = "Call 555-1234" }),
    })
  end)

  teardown(support.stop_all)

  local function run(folder, ...)
    return shell.run({
      "env", "ATOMS_DATA_DIR=" .. gateway.data_dir, "ATOMS_POLICIES_DIR=" .. before.path, "ATOMS_CANVASES_DIR=" .. canvases,
      ("ATOMS_ADMIN_LISTEN=127.0.0.1:%d"):format(gateway.admin_port), gateways.bin, "diff", folder.path, ...,
    })
  end

  local function diff(folder, ...)
    local result = run(folder, "--json", ...)
    return result.code, json.must(result.out)
  end

  local function gains_of(report, role)
    local found = {}
    for _, one in ipairs(report.diffs) do
      for _, gain in ipairs(one.role == role and one.gains or {}) do
        found[gain.what] = gain
      end
    end
    return found
  end

  local opened

  setup(function()
    opened = policies.folder({ ["token_lens.lua"] = OPEN })
  end)

  it("tells properties and texts that are no longer redacted", function()
    local _, report = diff(opened)
    local gains = gains_of(report, "viewer")
    assert.equal(2, gains["read property note.cost by agent on board"].seq)
    assert.is_truthy(gains["read text note.text by agent on board"])
    assert.is_truthy(gains["read property note.cost by user on board"], "of blocks that the canvas may hold")
  end)

  it("tells what vision brings: events, Tokens, properties and commands", function()
    local gains = gains_of(select(2, diff(opened)), "planner")
    for _, what in ipairs({
      "vision", "read token media.cover", "write token media.cover", "read property note.image by agent on board", "command board.shoot",
    }) do
      assert.is_truthy(gains[what], what)
    end
    assert.is_nil(gains["read token board.title"])
  end)

  it("tells values that a transform showed otherwise, of roles that only the lens speaks of", function()
    local gains = gains_of(select(2, diff(opened)), "guest")
    for _, what in ipairs({ "value of token board.title", "value of text note.text", "value of text message.text" }) do
      assert.is_truthy(gains[what], what)
    end
    assert.is_nil(gains["value of property note.cost"])
  end)

  it("is a gate for each of these", function()
    for _, glob in ipairs({
      "cost", "note.cost", "note", "note.text", "media.*", "vision", "board.shoot", "message.text", "board.title", "note.image",
    }) do
      assert.equal(1, (diff(opened, "--forbid-gain", glob)), glob)
    end
    for _, glob in ipairs({ "secret.*", "note.nosuch", "log_line" }) do
      assert.equal(0, (diff(opened, "--forbid-gain", glob)), glob)
    end
    assert.equal(1, (diff(opened, "--role", "planner:agent", "--role", "viewer", "--forbid-gain", "media.*")))
    assert.equal(0, (diff(opened, "--role", "viewer", "--forbid-gain", "media.*")))
  end)

  it("tells events that need vision", function()
    local folder = policies.folder({ ["token_lens.lua"] = NARROW })
    shell.must({ "rm", "-rf", folder.path .. "/spec" })
    -- snapshot_created is recorded by nobody here: that it may come is told without one
    assert.equal(1, (diff(opened, "--forbid-gain", "snapshot_created")))
    assert.equal(0, (diff(folder, "--forbid-gain", "snapshot_created")))
  end)

  it("refuses kinds and globs that are none", function()
    for _, words in ipairs({
      { "--role", "viewer:robot" }, { "--role", "" }, { "--role", "a b" }, { "--forbid-gain", "[" }, { "--forbid-gain", "" },
      { "--forbid-gain", "!x" }, { "--forbid-gain", "a?" },
    }) do
      local result = run(opened, table.unpack(words))
      assert.equal(2, result.code)
      assert.matches(words[1], result.err, 1, true)
    end
  end)

  it("says that a role is nobody to either", function()
    assert.matches("unchanged: nosuch %(user%)", run(opened, "--role", "nosuch").out)
    assert.matches("stranger %(user, admitted to nothing%)", run(opened, "--role", "stranger").out)
  end)

  it("says when a lens fails, and does not call that nothing", function()
    local folder = policies.folder({ ["token_lens.lua"] = policies.lens("return actor.role == 'viewer' and actor.nosuch.x or nil") })
    local code, report = diff(folder)
    assert.same({ 2, 1 }, { code, report.failed })
    assert.matches("then it fails: .*token_lens%.lua:2: ", run(folder).out)
  end)

  it("says which files about commands differ, and that these are not compared", function()
    local folder = policies.folder({
      ["token_lens.lua"] = NARROW,
      ["commands/pace.lua"] = 'return { name = "pace", version = 1, api = 1, commands = { "undo" }, rate = { per_s = 1, burst = 1 } }',
    })
    local code, report = diff(folder)
    assert.same({ 0, "commands/pace.lua" }, { code, report.other_files[1].path })
    assert.equal(1, (diff(folder, "--exit-code")))
    assert.matches("commands/pace%.lua is another one: .*commands are not recorded", run(folder).out)
  end)

  it("shows a block that is gained without all that is in it, which counts all the same", function()
    local hidden = policies.folder({ ["token_lens.lua"] = policies.lens([[local all = lens.everything()
      return actor.role == "viewer" and lens.extend(all, { blocks = { read = { { kinds = { "x" } } } } }) or all]]) })
    before, hidden = hidden, before
    local out, code = run(opened).out, diff(opened, "--forbid-gain", "note.cost")
    before = hidden
    assert.matches("gains read block note by agent on board", out)
    assert.is_nil(out:find("property", 1, true))
    assert.equal(1, code)
  end)

  it("puts what is unchanged into one line", function()
    local out = run(policies.folder({ ["token_lens.lua"] = NARROW })).out
    assert.matches("acme: unchanged: owner %(user%), editor %(user%)", out)
    assert.matches("0 of %d+ classes changed", out)
  end)

  it("says whether the gateway runs what it compared with", function()
    assert.equal("yes", (select(2, diff(opened)).is_in_force))
    before:write("sanitize.lua", shell.read(before.path .. "/sanitize.lua") .. "\n")
    assert.matches("RUNS OTHER ONES", run(opened).out)
  end)
end)
